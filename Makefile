# Everything runs in .venv, which `make setup` builds from the hash locks; nothing is installed elsewhere.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip install --quiet --require-hashes --compile-bytecode
RUN := $(BIN)/python -m welfare_analysis
UV_VERSION := 0.13.9
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export MPLBACKEND = Agg

# An institution's own files and wishes: make report SURVEY=answers.xlsx REGISTER=register.csv FOLLOWUP=followup.csv
INPUTS := SURVEY REGISTER FOLLOWUP RECHECK CODEBOOK MAP AGREEMENTS LISTENING KEEP OMIT RETURNED LOG PART HALF_WIDTH COST RETURN_RATE ANSWER_RATE WRONG_RATE SEED CASES ARGS
GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
MEANT := survey:SURVEY Survey:SURVEY file:SURVEY File:SURVEY SURVEYS:SURVEY register:REGISTER followup:FOLLOWUP recheck:RECHECK \
	FOLLOW_UP:FOLLOWUP codebook:CODEBOOK map:MAP agreements:AGREEMENTS AGREEMENT:AGREEMENTS listening:LISTENING QUESTIONS:LISTENING keep:KEEP omit:OMIT returned:RETURNED log:LOG half_width:HALF_WIDTH cost:COST seed:SEED
$(foreach v,$(filter-out $(INPUTS) FILE PYTHON,$(GIVEN)),$(error $v= is not read. $(foreach m,$(filter $v:%,$(MEANT)),Write $(m:$v:%=%)=. )The names are $(INPUTS) and PYTHON, in capitals))
ifneq (,$(filter FILE,$(GIVEN)))
$(if $(filter-out check,$(MAKECMDGOALS)),$(error FILE= is read by `make check` alone. Write SURVEY=))
$(if $(filter SURVEY,$(GIVEN)),$(error FILE= and SURVEY= name the same. Write SURVEY= alone))
override SURVEY := $(value FILE)
endif
# values reach the programs as they were written: nothing in them is expanded by make, and no shell reads them
$(foreach v,$(INPUTS) FILE,$(eval override $v := $$(value $v))$(eval export $v))

.PHONY: help setup report verify test test-files lint notebooks prose lab data form check draw replay bench validate release mixed lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python {v[0]}.{v[1]} was found, but 3.11, 3.12 or 3.13 is needed. Name one: make setup PYTHON=python3.11")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python has no venv module. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(BIN)/uv
	@$(UV) -r requirements.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/test.stamp: requirements-test.txt $(VENV)/run.stamp
	@$(UV) -r requirements-test.txt
	@touch $@

setup: $(VENV)/run.stamp ## Build the environment in .venv from the locks

report: setup ## Run the notebooks and write the site: build/report/index.html
	@$(ONE_THREAD) $(RUN) report

test: $(VENV)/test.stamp lint ## Lint, types, tests, and nbval on every notebook
	@$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/files tests
	@$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadscope --nbval --nbval-current-env --nbval-cell-timeout=120 notebooks

test-files: $(VENV)/test.stamp ## Files of one's own and another institution, from the file to the report (minutes)
	@$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --durations=0 --durations-min=1 tests/files

lint: $(VENV)/test.stamp ## Style, docstrings and types
	@$(BIN)/ruff check --quiet src tests notebooks/conftest.py
	@$(BIN)/ruff format --quiet --check src tests notebooks/conftest.py
	@$(BIN)/mypy --no-error-summary

verify: setup ## Has the report been changed, and is it of these data, code and rules?
	@$(RUN) verify

notebooks: setup ## Run every notebook in place and redraw the headline figures
	@$(ONE_THREAD) $(RUN) notebooks

prose: setup ## Bring the translations in data/prose up to the notebooks, and say what is left
	@$(RUN) prose

lab: setup ## Open the notebooks
	@$(RUN) lab

data: setup ## Make the stand-in population and its answers again
	@$(RUN) data

form: setup ## Write the questionnaire: XLSForms and paper forms in build/form/
	@$(RUN) form

check: setup ## Check files of answers, a register, a follow-up: make check SURVEY=answers.xlsx
	@$(ONE_THREAD) $(RUN) check

draw: setup ## Whom to follow up, or to ask for papers: make draw REGISTER=register.csv RETURNED=answers.xlsx HALF_WIDTH=5
	@$(RUN) draw

replay: setup ## Apply a log of corrections: make replay SURVEY=answers.xlsx LOG=build/check/consistency.csv
	@$(RUN) replay

validate: $(VENV)/test.stamp ## The long simulations, or one: MINUTES=45 make validate PART=headlines, and again to go on
	@$(ONE_THREAD) $(RUN) validate

release: setup ## May this version go out? Simulations of this code, languages complete, one version and one day
	@$(RUN) release

mixed: setup ## Fit the mixed logit of the cards again (minutes): SURVEY=... for files of one's own
	@$(RUN) mixed

bench: $(VENV)/test.stamp ## Our speed beside other programs: make bench, or make bench CASES=choice_bench
	@$(ONE_THREAD) $(BIN)/python tests/bench $$CASES

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url
lock: $(BIN)/uv ## Resolve the locks again (needs the network)
	@$(LOCK) $$ARGS pyproject.toml -o requirements.txt
	@$(LOCK) $$ARGS --extra test -c requirements.txt pyproject.toml -o requirements-test.txt

clean: ## Remove the environment and everything built, own data too
	@rm -rf $(VENV) build notebooks/.ipynb_checkpoints
	@find src tests notebooks -name __pycache__ -prune -exec rm -rf {} +
