#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# deps.sh: installs the Debian packages that are missing, and unpacks LibTorch and two CUDA libraries into $BUILD/deps.
# Does nothing when all is there. Prints what it is about to install. Nothing but Debian packages goes outside $BUILD.
. "$(dirname "$0")/common.sh"

TORCH=2.11.0 CUDART=13.0.96 CUPTI=13.0.85

# --- Debian packages ------------------------------------------------------------------------------------------------

# One line each: the package, and a test that it, or something as good from elsewhere, is there.
packages() {
    cat <<'END'
g++ command -v g++
gcc command -v gcc
make command -v make
pkg-config command -v pkg-config
nasm command -v nasm
patch command -v patch
xz-utils command -v xz
unzip command -v unzip
curl command -v curl
ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
python3 command -v python3
python3-pip python3 -m pip --version
libopencv-dev pkg-config --exists opencv4
libjson-c-dev pkg-config --exists json-c
check pkg-config --exists check
libx264-dev pkg-config --exists x264
libpng-dev pkg-config --exists libpng
zlib1g-dev pkg-config --exists zlib
END
}

missing_packages() {
    local package test
    packages | while read -r package test; do sh -c "$test" >/dev/null 2>&1 || printf '%s ' "$package"; done
}

install_packages() {
    local missing root=
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "these are missing and this is not Debian, so please install them: $missing"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "not root and no sudo; as root: apt-get install $missing"
        root=sudo
    fi
    say "installing Debian packages: $missing"
    # shellcheck disable=SC2086
    { $root apt-get update && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
        </dev/null >"$DEPS/apt.log" 2>&1 || {
        tail -n 20 "$DEPS/apt.log" >&2
        die "apt-get could not install them; the whole text is in $DEPS/apt.log"
    }
    missing=$(missing_packages)
    [ -z "$missing" ] || die "still missing after the installation: $missing"
}

# --- LibTorch and CUDA's run time, from the Python registry ---------------------------------------------------------

# Whatever Python runs pip, these are the files for the Linux that the build is for.
LINUX=(--python-version 3.11 --implementation cp --abi cp311 --platform manylinux2014_x86_64)
for minor in $(seq 17 28); do LINUX+=(--platform "manylinux_2_${minor}_x86_64"); done

# Only downloads the file: nothing is installed into a Python, so this works where Debian forbids `pip install`.
download_wheel() { # folder, requirement
    say "downloading $2 from the Python registry"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: "${LINUX[@]}" -d "$1" "$2"
}

unpack_libtorch() {
    [ -z "$(switch_value libtorch)" ] || return 0 # the user has one
    [ ! -f "$DEPS/libtorch/.version" ] || [ "$(cat "$DEPS/libtorch/.version")" != "$TORCH" ] || return 0
    [ "$(uname -m)" = x86_64 ] || die "no LibTorch $TORCH for $(uname -m) is known here; give one with ./configure.sh --libtorch=DIR"
    rm -rf "$DEPS/libtorch" "$DEPS/wheel"
    mkdir -p "$DEPS/wheel"
    download_wheel "$DEPS/wheel" "torch==$TORCH"
    say "unpacking LibTorch to $DEPS/libtorch"
    unzip -q "$DEPS"/wheel/torch-*.whl 'torch/lib/*' 'torch/include/*' 'torch-*/licenses/*' -x '*/libtorch_python.so' -d "$DEPS/wheel"
    mv "$DEPS/wheel/torch" "$DEPS/libtorch"
    mv "$DEPS"/wheel/torch-*.dist-info/licenses "$DEPS/libtorch/licenses"
    rm -rf "$DEPS/wheel"
    echo "$TORCH" >"$DEPS/libtorch/.version"
}

# LibTorch's CPU half is linked to these two, with or without a GPU. A CUDA toolkit's own are taken where there is one.
unpack_cuda() {
    local name missing=
    for name in libcudart.so.13 libcupti.so.13; do
        [ -n "$(./configure.sh --build="$BUILD" --recheck --find="$name")" ] || missing=1
    done
    [ -n "$missing" ] || return 0
    rm -rf "$DEPS/cuda"
    mkdir -p "$DEPS/cuda"
    download_wheel "$DEPS/cuda" "nvidia-cuda-runtime==$CUDART"
    download_wheel "$DEPS/cuda" "nvidia-cuda-cupti==$CUPTI"
    for name in "$DEPS"/cuda/*.whl; do
        unzip -q -j -o "$name" '*/libcudart.so.13' '*/libcupti.so.13' '*/licenses/*' -d "$DEPS/cuda/lib" 2>/dev/null || [ $? = 11 ] # 11: a name not in this one
        rm "$name"
    done
    [ -e "$DEPS/cuda/lib/libcudart.so.13" ] && [ -e "$DEPS/cuda/lib/libcupti.so.13" ] || die "the CUDA wheels lack what was expected"
}

install_packages
unpack_libtorch
unpack_cuda
