"""The conversation, pure: what a turn can do (acts), what is wanted (brief), where it stands, and what to do (policy).

No page, no store, no clock, no model: what was heard comes in, what to do comes out.
"""
