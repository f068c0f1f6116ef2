# Furrow: targets a person types. `make run` and `make test` need Go and make, nothing else.

GO          ?= go
BIN         := bin/furrow
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS     := -s -w -X main.version=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
TESTFLAGS   ?=
BENCHFLAGS  ?= -benchtime=2s
FUZZTIME    ?= 2m
PEERSFLAGS  ?=

# install gives the Debian packages that a target needs and the machine lacks.
define install
@missing=; for package in $(1); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
if [ -n "$$missing" ]; then \
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
fi
endef

# Node comes with npm in packages of others than Debian, which cannot be beside Debian's.
NPM := $(shell command -v npm >/dev/null || echo npm)

.PHONY: run build test test-integration test-browser assets image image-twice test-image test-image-brief bench bench-peers fuzz damage lint fmt-check vet staticcheck vulncheck cross clean

run: build ## Build and serve from ./var on unprivileged ports.
	$(BIN) --data var serve --listen http=:8080 --listen https=:8443

build: ## One static binary in bin/.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/furrow

test: ## Every test that needs nothing outside Go.
	$(GO) test $(TESTFLAGS) ./...

test-integration: ## Tests against real servers, which they start on loopback: squid, slapd, MIT Kerberos, OpenSSH, promtool.
	$(call install,squid apache2-utils slapd ldap-utils krb5-kdc krb5-admin-server krb5-user openssh-server systemd prometheus dbus-daemon dbus-user-session iproute2)
	PATH="$$PATH:/usr/sbin:/sbin" $(GO) test -tags integration -run Integration $(TESTFLAGS) \
	  $$(grep -rl --include='*_integration_test.go' '^//go:build integration' . | xargs -n1 dirname | sort -u)

assets: ## The scripts of the admin pages, by the hashes of web/npm/package-lock.json; builds without them have plainer pages.
	$(call install,$(NPM))
	cd web/npm && npm ci --ignore-scripts --no-audit --no-fund
	cp web/npm/node_modules/htmx.org/dist/htmx.min.js web/npm/node_modules/uplot/dist/uPlot.iife.min.js \
	  web/npm/node_modules/uplot/dist/uPlot.min.css web/assets/vendor/
	cp web/npm/node_modules/htmx.org/LICENSE web/assets/vendor/LICENSE-htmx
	cp web/npm/node_modules/uplot/LICENSE web/assets/vendor/LICENSE-uplot

test-browser: ## The admin pages in Chromium, by light and dark and three widths; pictures in bin/screenshots.
	$(call install,chromium)
	$(MAKE) assets build
	cd web/npm && node browser.mjs $(CURDIR)/$(BIN) "$$(command -v chromium)"

bench: ## Benchmarks; each prints ratios measured in the same run.
	$(GO) test -run '^$$' -bench . $(BENCHFLAGS) ./...

bench-peers: build ## Furrow and nats-server, mosquitto and prosody under the same load; PEERSFLAGS=--full for the published sizes.
	$(call install,nats-server mosquitto prosody)
	cd cmd/furrow/bench/peers && CGO_ENABLED=0 $(GO) build -trimpath -o $(CURDIR)/bin/peers . && \
	  CGO_ENABLED=0 $(GO) build -trimpath -o $(CURDIR)/bin/nats-server github.com/nats-io/nats-server/v2
	bin/peers --furrow $(BIN) --nats bin/nats-server $(PEERSFLAGS)

fuzz: ## Every fuzz target for FUZZTIME each, one after the other.
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 500ms $$pkg; \
	  done; \
	done

damage: ## Damage and kill tests at their full size (the short forms are part of `make test`).
	FURROW_DAMAGE=full $(GO) test -timeout 60m -v -run TestEvery ./appliance/state
	FURROW_SPOOL_KILLS=50 $(GO) test -timeout 30m -v -run TestKill ./appliance/spool
	FURROW_RELAY_KILLS=50 $(GO) test -timeout 30m -v -run TestKill ./relay

lint: fmt-check vet staticcheck

fmt-check:
	@files=$$(git ls-files '*.go' | xargs -r gofmt -l); \
	if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) run $(STATICCHECK) ./...

vulncheck: ## Known vulnerabilities, where the database can be reached.
	$(GO) run $(GOVULNCHECK) ./...

cross: ## The other boxes that Furrow runs on.
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -trimpath -o bin/furrow-linux-arm64 ./cmd/furrow
	CGO_ENABLED=0 GOOS=linux GOARCH=arm GOARM=7 $(GO) build -trimpath -o bin/furrow-linux-armv7 ./cmd/furrow

ARCH         ?= amd64
IMAGE        ?= bin/image
IMAGE_TOOLS  := mmdebstrap squashfs-tools mtools dosfstools fdisk e2fsprogs uidmap mawk grub-common \
                $(if $(filter amd64,$(ARCH)),grub-pc-bin grub-efi-amd64-bin,qemu-user-static binfmt-support arch-test)
# Everything in an image that could be a time is that of the commit.
IMAGE_TIME   := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
# image-build gives an image's binary and version: $(1) binary, $(2) version, $(3) time.
image-build = FURROW_BINARY=$(1) FURROW_VERSION=$(2) FURROW_TOOL=$(CURDIR)/$(BIN) SOURCE_DATE_EPOCH=$(3) \
              nice -n 15 image/build $(ARCH) $(IMAGE)

image: build $(IMAGE)/update.pub ## A disk image for ARCH=amd64 or arm64, a bundle to update with, and its list of packages.
	$(call install,$(IMAGE_TOOLS))
	CGO_ENABLED=0 GOARCH=$(ARCH) $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(IMAGE)/furrow-$(ARCH) ./cmd/furrow
	$(call image-build,$(IMAGE)/furrow-$(ARCH),$(VERSION),$(IMAGE_TIME))
	xz -T1 -1 -k -f $(IMAGE)/furrow-$(ARCH).img

# The key that bundles are signed with: keep it, boxes with this image trust no other.
$(IMAGE)/update.pub: | build
	mkdir -p $(IMAGE)
	$(BIN) update key $(IMAGE)/update.key $(IMAGE)/update.pub

test-image: image ## Boots the image of ARCH in qemu under software emulation and uses it; FURROW_CUTS says how often power fails.
	$(call install,qemu-utils openssh-client $(if $(filter amd64,$(ARCH)),qemu-system-x86 ovmf,qemu-system-arm qemu-efi-aarch64))
	cp $(BIN) $(IMAGE)/furrow
	mv $(IMAGE)/furrow-$(ARCH).img $(IMAGE)/first.img
	$(call image-build,$(IMAGE)/furrow-$(ARCH),$(VERSION)-next,$(shell expr $(IMAGE_TIME) + 1))
	mv $(IMAGE)/first.img $(IMAGE)/furrow-$(ARCH).img
	$(if $(filter amd64,$(ARCH)),nice -n 15 image/bare $(IMAGE))
	FURROW_IMAGE=$(CURDIR)/$(IMAGE) FURROW_ARCH=$(ARCH) $(GO) test -tags image -count=1 -timeout 5h -v $(TESTFLAGS) \
	  $(if $(filter amd64,$(ARCH)),,-skip TestBootTime) ./image

test-image-brief: image ## The same without updates and what goes wrong with them.
	$(call install,qemu-utils openssh-client qemu-system-x86)
	cp $(BIN) $(IMAGE)/furrow
	FURROW_IMAGE=$(CURDIR)/$(IMAGE) FURROW_BRIEF=1 FURROW_CUTS=1 $(GO) test -tags image -count=1 -timeout 30m -v -run 'TestImage$$' ./image

image-twice: image ## Builds the image once more, Debian's part too, and compares octet for octet.
	mkdir -p $(IMAGE)/again
	cp $(IMAGE)/update.key $(IMAGE)/update.pub $(IMAGE)/again/
	rm -f $(IMAGE)/again/base-$(ARCH).tar
	$(MAKE) -o build -o $(IMAGE)/again/update.pub image IMAGE=$(IMAGE)/again
	for made in .img .img.xz .update .spdx.json; do cmp $(IMAGE)/furrow-$(ARCH)$$made $(IMAGE)/again/furrow-$(ARCH)$$made || exit 1; done

clean:
	rm -rf bin
