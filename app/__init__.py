"""The pages. The only code that imports streamlit."""
