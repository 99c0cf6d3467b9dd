# convgl. Two commands do all set-up: make demo, make test.

GO          ?= go
STATICCHECK  = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFLAGS     ?= -buildvcs=false
FUZZTIME    ?= 20s
DUMP        := $(CURDIR)/.shaders
export GOFLAGS

.PHONY: help deps demo build test test-noasm test-isa test-arm64 nocgo race fuzz bench gopeers generate check-generated shaders golden style lint ci

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

deps: ## install the Debian packages that are missing
	@sh scripts/deps.sh $(DEPS)

demo: DEPS = run
demo: deps ## run a picture and a network on the oracle, the CPU and OpenGL; pictures in demo-out/
	$(GO) run ./cmd/cnnbench demo

build: deps ## build the commands into bin/
	$(GO) build -o bin/ ./cmd/...

test: deps style nocgo check-generated ## everything that CI checks
	@rm -rf $(DUMP) && mkdir -p $(DUMP)
	CONVGL_REQUIRE_GL=1 CONVGL_SHADER_DUMP=$(DUMP) $(GO) test -count=1 -timeout 15m ./...
	@sh scripts/shaders.sh $(DUMP) && rm -rf $(DUMP)
	sh scripts/fuzz.sh 10s ./onnx/fuzz_test.go
	$(MAKE) --no-print-directory test-noasm test-isa test-arm64 race

test-noasm: ## the suite without assembly
	$(GO) test -tags noasm -timeout 10m ./backend/cpu/...

test-isa: ## what computes on the CPU, with each instruction set of the machine
	@sh scripts/test-isa.sh

test-arm64: ## what computes on the CPU, for arm64 under qemu where that is installed
	@sh scripts/test-arm64.sh

nocgo: ## the core and the commands build without cgo
	CGO_ENABLED=0 $(GO) build ./...
	CGO_ENABLED=0 GOARCH=arm64 $(GO) vet ./tensor/... ./safetensors ./backend ./backend/cpu/... ./backend/ref/... ./graph ./onnx/... ./cnn/... ./cmd/cnn

race: ## the tests under the race detector
	CONVGL_REQUIRE_GL=1 $(GO) test -race -short -timeout 20m ./...

fuzz: ## run every fuzz target for FUZZTIME each
	sh scripts/fuzz.sh $(FUZZTIME)

bench: ## Go benchmarks, in the form that benchstat reads
	$(GO) test -run '^$$' -bench . -benchtime 300ms ./backend/cpu ./backend/gl

gopeers: ## times of other Go libraries, as JSON lines; docs/peers.md
	@$(GO) -C bench/_gopeers run .

generate: ## write the generated files again
	$(GO) generate ./...

check-generated: ## generated files are what their generators write
	@sh scripts/check-generated.sh

shaders: deps ## expand every shader that the tests compile and validate it with glslang
	@sh scripts/shaders.sh

golden: ## write the golden pictures, plans and listings again
	$(GO) test ./viz ./graph ./cnn ./cnn/models -update

style: deps ## gofmt, vet, staticcheck
	@sh scripts/gofmt.sh
	$(GO) vet ./...
	$(GO) vet -tags noasm ./backend/cpu/...
	$(STATICCHECK) ./...

lint: style shaders ## style, and shader validation

ci: test
