# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PORT ?= 8501

.PHONY: run test lint types unit browser fix setup bench bench-text bench-competences bench-turns conversations \
	fit-turns question-figures session-load learning-figures match-figures post-figures ge-1999 tune-encoder \
	screenshots lock turn-times clean

run: $(READY) ## start the app with the demo organisation on http://localhost:8501
	$(BIN)/telemachos demo
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT)

test: lint types unit browser ## everything that CI runs

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

unit: $(READY) ## all tests but those in a real browser
	$(BIN)/pytest -n 2 --dist worksteal -m "not browser and not long"

browser: $(READY) ## journeys and accessibility in a real browser
	scripts/install-chromium
	$(BIN)/pytest -m browser tests/browser

fix: $(READY) ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-text: $(READY) ## rank the benchmark folders and score them beside plain methods
	$(BIN)/python scripts/bench_text.py $(BENCHMARKS)

bench: $(READY) ## how fast, beside named other ways
	$(BIN)/telemachos bench

bench-competences: $(READY) ## how well competences and levels are read, beside plain ways
	$(BIN)/python scripts/bench_competences.py $(BENCHMARKS)

bench-turns: $(READY) ## how well turns of a conversation are understood, beside plain ways
	$(BIN)/python scripts/bench_turns.py $(BENCHMARKS)

fit-turns: $(READY) ## fit the reader of turns again (some minutes)
	$(BIN)/python scripts/fit_turns.py

conversations: $(READY) ## play all 200 scripted conversations, 60 of them hostile
	$(BIN)/pytest -s -m long tests/integration/test_scripted.py

question-figures: $(READY) ## whether questions help, with simulated seniors
	$(BIN)/python scripts/question_figures.py $(BENCHMARKS)

session-load: $(READY) ## fifty sessions at once
	$(BIN)/python scripts/session_load.py

learning-figures: $(READY) ## the learning loop with simulated seniors
	$(BIN)/python scripts/learning_figures.py $(BENCHMARKS)

match-figures: $(READY) ## whole-group matching beside other programs, and against independent optima (some 20 minutes)
	$(BIN)/python scripts/match_figures.py

post-figures: $(READY) ## letters to mail servers that misbehave: how many arrive once, twice, or not at all
	$(BIN)/python scripts/post_figures.py

ge-1999: $(READY) ## 500 seniors and 900 juniors from file to published pairs, with the time of each step
	$(BIN)/python scripts/ge_1999.py

tune-encoder: $(READY) ## train the adapter of the encoder again (a quarter of an hour on two free cores)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev,tune]"
	$(BIN)/python scripts/tune_encoder.py $(BENCHMARKS)

screenshots: $(READY) ## take the pictures of the docs
	scripts/install-chromium
	$(BIN)/python scripts/screenshots.py

setup: $(READY)

# Stale as soon as the project's own list of packages changes. The marker comes last: a broken set-up starts again.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit('Telemachos needs Python 3.11 or newer.' if sys.version_info < (3, 11) else 0)"
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	$(BIN)/python -c "import sys, torch; sys.exit('This torch build carries CUDA. Install the CPU build.' if torch.version.cuda else 0)"
	touch $(READY)

clean: ## remove what was installed and made
	rm -rf .venv data/local build *.egg-info .mypy_cache .ruff_cache .hypothesis

lock: $(READY) ## write down the versions that are installed now
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu//' > constraints.txt

turn-times: $(READY) ## how long a senior waits, in a real browser
	scripts/install-chromium
	$(BIN)/python scripts/turn_times.py
