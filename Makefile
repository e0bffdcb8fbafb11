# Two commands set everything up: `make run` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: run test faults demo check format clean

run: $(VENV)/.run
	$(BIN)/piyao run

demo: $(VENV)/.run
	$(BIN)/piyao demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile

faults: $(VENV)/.test
	FAULTS=long $(BIN)/python -m pytest tests/durability -s

check: $(VENV)/.check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "需要 Python 3.11 或更新版本")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "正在准备运行环境（首次约一分钟）……"
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "正在安装测试所需的组件……"
	$(PIP) -e '.[test]'
	@touch $@

$(VENV)/.check: $(VENV)/.test
	$(PIP) -e '.[test,check]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
