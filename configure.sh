#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Looks for what the build needs, prints a table of what it found, writes $BUILD/config.mk. Downloads and installs nothing.
set -u
cd "$(dirname "$0")" || exit 1

usage() {
    cat <<'END'
Usage: ./configure.sh [switches]

Looks for the compiler, the libraries and LibTorch, prints what it found and writes build/config.mk. Nothing is downloaded or
installed: `make deps` does that. `make` runs this script by itself when build/config.mk is absent or older than the script.

Where things are:
  --libtorch=DIR        an unpacked LibTorch or the `torch` folder of a Python installation: DIR/include, DIR/lib
                        [build/deps/libtorch, where `make deps` unpacks it]
  --ffmpeg-src=DIR      unpacked FFmpeg 7.1 sources; they are copied, never changed [the tarball]
  --ffmpeg-tarball=FILE ffmpeg-7.1.5.tar.xz, its hash is checked [fetched by `make ffmpeg`]
  --cuda-libs=DIR       folder with libcudart.so.13 and libcupti.so.13, which this LibTorch always loads
                        [the CUDA toolkit's, else those that `make deps` unpacks]
  --prefix=DIR          where `make install` puts things [/usr/local]
  --build=DIR           folder of everything that is built [build]

What is built:
  --cuda=auto|no        auto: LibTorch's CUDA half is at hand at run time and is installed too; no: it is left out, which
                        halves an installation, and no CUDA compiler is looked for [auto]
  --werror=yes|no       compiler warnings are errors [yes]
  --debug=yes|no        debug information in the objects (slower links) [no]
  --cxx=PROGRAM         C++ compiler [$CXX, else g++]
  --cc=PROGRAM          C compiler, for FFmpeg and the C tests [$CC, else gcc]

Other:
  --recheck             repeat with the switches of the last time
  --find=FILE           print where a library that LibTorch loads was found, and stop
  --help                this text
END
}

# --- switches -------------------------------------------------------------------------------------------------------

BUILD=build LIBTORCH= FFMPEG_SRC= FFMPEG_TARBALL= CUDA_LIBS= PREFIX=/usr/local
CUDA=auto WERROR=yes DEBUG=no CXX=${CXX:-g++} CC=${CC:-gcc}

die() {
    echo "configure.sh: $1" >&2
    exit 2
}

yes_no() { # switch, value
    case $2 in yes | no) ;; *) die "$1 takes yes or no, not '$2'" ;; esac
}

absolute() { # path; printed unchanged when it does not exist, so that the table can name it
    case $1 in
    "" | /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$PWD" "$1" ;;
    esac
}

parse() {
    for arg in "$@"; do
        value=${arg#*=}
        case $arg in
        --libtorch=*) LIBTORCH=$(absolute "$value") ;;
        --ffmpeg-src=*) FFMPEG_SRC=$(absolute "$value") ;;
        --ffmpeg-tarball=*) FFMPEG_TARBALL=$(absolute "$value") ;;
        --cuda-libs=*) CUDA_LIBS=$(absolute "$value") ;;
        --prefix=*) PREFIX=$(absolute "$value") ;;
        --build=*) BUILD=$value ;;
        --cuda=*) CUDA=$value ;;
        --werror=*) WERROR=$value ;;
        --debug=*) DEBUG=$value ;;
        --cxx=*) CXX=$value ;;
        --cc=*) CC=$value ;;
        --recheck) recheck=1 ;;
        --find=*) find=$value ;;
        --help | -h) usage && exit 0 ;;
        *) die "unknown switch '$arg'; ./configure.sh --help lists them" ;;
        esac
    done
    case $CUDA in auto | no) ;; *) die "--cuda takes auto or no, not '$CUDA'" ;; esac
    yes_no --werror "$WERROR"
    yes_no --debug "$DEBUG"
    [ -z "$FFMPEG_SRC" ] || [ -f "$FFMPEG_SRC/libavfilter/allfilters.c" ] || die "--ffmpeg-src: no FFmpeg sources in $FFMPEG_SRC"
    [ -z "$FFMPEG_TARBALL" ] || [ -f "$FFMPEG_TARBALL" ] || die "--ffmpeg-tarball: no file $FFMPEG_TARBALL"
}

recheck=0 find=
parse "$@"
mkdir -p "$BUILD" || die "cannot make the folder $BUILD"
if [ $recheck = 1 ]; then
    if [ -f "$BUILD/config.args" ]; then
        set --
        while IFS= read -r line; do set -- "$@" "$line"; done <"$BUILD/config.args"
        parse "$@"
    fi
elif [ -z "$find" ]; then
    : >"$BUILD/config.args"
    for arg in "$@"; do printf '%s\n' "$arg" >>"$BUILD/config.args"; done
fi
BUILD_ABS=$(cd "$BUILD" && pwd)
[ -n "$LIBTORCH" ] || LIBTORCH=$BUILD_ABS/deps/libtorch

# --- the table ------------------------------------------------------------------------------------------------------

missing=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

found() { printf '  %-20s %s\n' "$1" "$2"; }
lacks() { # name, the line that mends it
    printf '  %-20s MISSING: %s\n' "$1" "$2"
    missing=$((missing + 1))
}
optional() { printf '  %-20s not found: %s\n' "$1" "$2"; }

check_program() { # name, program, mend
    if path=$(command -v "$2"); then found "$1" "$path"; else lacks "$1" "$3"; fi
}

check_compiler() { # name, program, suffix, mend
    printf 'int main(void) { return 0; }\n' >"$work/t.$3"
    if "$2" "$work/t.$3" -o "$work/t" >/dev/null 2>&1 && "$work/t"; then
        found "$1" "$("$2" --version | head -n 1)"
    else
        lacks "$1" "$4"
    fi
}

check_package() { # name, pkg-config module, Debian package
    if version=$(pkg-config --modversion "$2" 2>/dev/null); then
        found "$1" "$version"
    else
        lacks "$1" "make deps (Debian package $3)"
    fi
}

# --- LibTorch and the two CUDA libraries it always loads ------------------------------------------------------------

torch_version() { # folder
    sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) *\([0-9]*\).*/\2/p' \
        "$1/include/torch/headeronly/version.h" "$1/include/torch/csrc/api/include/torch/version.h" 2>/dev/null |
        head -n 3 | paste -s -d .
}

cuda_folders() {
    [ -z "$CUDA_LIBS" ] || echo "$CUDA_LIBS"
    nvcc=$(command -v nvcc 2>/dev/null)
    [ -z "$nvcc" ] || echo "$(dirname "$(readlink -f "$nvcc")")/../lib64"
    for folder in "${CUDA_HOME:-/usr/local/cuda}/lib64" /usr/local/cuda-13*/lib64 /usr/local/cuda-13*/extras/CUPTI/lib64 \
        /usr/lib/x86_64-linux-gnu "$BUILD_ABS/deps/cuda/lib" "$LIBTORCH/../nvidia/cu13/lib" "$LIBTORCH/lib"; do
        echo "$folder"
    done
}

find_cuda_library() { # file name; prints its path
    cuda_folders | while IFS= read -r folder; do
        if [ -e "$folder/$1" ]; then
            readlink -f "$folder/$1"
            break
        fi
    done
}

# One folder holds links to everything that LibTorch loads, so that one run path serves every program of the build.
link_libraries() {
    run=$BUILD_ABS/run.new
    rm -rf "$run"
    mkdir -p "$run/torch/lib"
    for file in "$LIBTORCH"/lib/lib*.so*; do
        case $CUDA:$file in
        no:*cuda* | no:*nvrtc* | no:*nvshmem*) continue ;;
        *_python.so | */libshm.so | *_global_deps.so | */libtorch.so) continue ;; # Python's and umbrella libraries
        esac
        ln -s "$file" "$run/torch/lib/"
    done
    for file in "$@"; do
        ln -sf "$file" "$run/torch/lib/$(basename "$file" | sed 's/\(\.so\.[0-9]*\).*/\1/')"
    done
    # A Python installation has the other CUDA libraries beside it; LibTorch looks for them there.
    [ "$CUDA" = no ] || [ ! -d "$LIBTORCH/../nvidia" ] || ln -s "$(cd "$LIBTORCH/../nvidia" && pwd)" "$run/nvidia"
    rm -rf "$BUILD_ABS/run" && mv "$run" "$BUILD_ABS/run"
}

check_libtorch() {
    version=$(torch_version "$LIBTORCH")
    if [ -z "$version" ] || [ ! -e "$LIBTORCH/lib/libtorch_cpu.so" ]; then
        lacks LibTorch "nothing in $LIBTORCH; make deps, or ./configure.sh --libtorch=DIR"
        return
    fi
    case $version in
    2.11.*) ;;
    *) lacks LibTorch "$version in $LIBTORCH, 2.11 is needed: make deps, or ./configure.sh --libtorch=DIR" && return ;;
    esac
    set --
    for name in libcudart.so.13 libcupti.so.13; do
        path=$(find_cuda_library $name)
        if [ -n "$path" ]; then
            set -- "$@" "$path"
        elif grep -q "$name" "$LIBTORCH/lib/libtorch_cpu.so"; then
            lacks "$name" "make deps, or ./configure.sh --cuda-libs=DIR" && return
        fi
    done
    link_libraries "$@"
    probe_libtorch "$@"
}

probe_libtorch() {
    printf '#include <c10/core/Device.h>\nint main() { return c10::Device("cpu").is_cpu() ? 0 : 1; }\n' >"$work/torch.cpp"
    if "$CXX" -std=c++17 -isystem "$LIBTORCH/include" "$work/torch.cpp" -o "$work/torch" -L"$BUILD_ABS/run/torch/lib" -Wl,--no-as-needed \
        -ltorch_cpu -lc10 -Wl,-rpath,"$BUILD_ABS/run/torch/lib" -Wl,-rpath-link,"$BUILD_ABS/run/torch/lib" >"$work/torch.log" 2>&1 &&
        "$work/torch" >>"$work/torch.log" 2>&1; then
        found LibTorch "$version in $LIBTORCH"
        for path in "$@"; do found "$(basename "$path")" "$path"; done
    else
        lacks LibTorch "a small program does not build or run with $LIBTORCH: $(tail -n 1 "$work/torch.log")"
    fi
}

check_nvcc() {
    NVCC=
    [ "$CUDA" != no ] || { found "CUDA compiler" "not looked for (--cuda=no)" && return; }
    NVCC=$(command -v nvcc || ls /usr/local/cuda*/bin/nvcc 2>/dev/null | tail -n 1)
    if [ -n "$NVCC" ]; then
        found "CUDA compiler" "$NVCC ($("$NVCC" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p'))"
    else
        optional "CUDA compiler" "not needed, nothing is built with it yet"
    fi
}

check_ffmpeg() {
    if [ -n "$FFMPEG_SRC" ]; then
        found "FFmpeg sources" "$FFMPEG_SRC"
    elif [ -n "$FFMPEG_TARBALL" ]; then
        found "FFmpeg sources" "$FFMPEG_TARBALL"
    elif [ -f "$BUILD_ABS/deps/ffmpeg-7.1.5.tar.xz" ]; then
        found "FFmpeg sources" "$BUILD_ABS/deps/ffmpeg-7.1.5.tar.xz"
    else
        found "FFmpeg sources" "7.1.5, fetched by make ffmpeg"
    fi
}

# --- go -------------------------------------------------------------------------------------------------------------

if [ -n "$find" ]; then
    find_cuda_library "$find"
    exit 0
fi
echo "aianime: what the build needs"
check_compiler "C++ compiler" "$CXX" cpp "make deps (Debian package g++)"
check_compiler "C compiler" "$CC" c "make deps (Debian package gcc)"
check_program make "make" "make deps (Debian package make)"
check_program pkg-config pkg-config "make deps (Debian package pkg-config)"
check_program nasm nasm "make deps (Debian package nasm)"
check_package "OpenCV" opencv4 libopencv-dev
check_package "json-c" json-c libjson-c-dev
check_package "Check" check check
check_package "x264" x264 libx264-dev
check_package "libpng" libpng libpng-dev
check_package "zlib" zlib zlib1g-dev
check_libtorch
check_nvcc
check_ffmpeg

if [ $missing != 0 ]; then
    echo "$missing missing. \`make deps\` installs what can be installed and says what it does." >&2
    rm -f "$BUILD/config.mk"
    exit 1
fi

opencv_include=$(pkg-config --cflags-only-I opencv4 | sed 's/-I/-isystem /g')
cat >"$BUILD/config.mk.new" <<END
# Written by configure.sh.
CXX := $CXX
CC := $CC
NVCC := $NVCC
LIBTORCH := $LIBTORCH
TORCH_VERSION := $version
PREFIX := $PREFIX
WERROR := $WERROR
DEBUG := $DEBUG
FFMPEG_SRC := $FFMPEG_SRC
FFMPEG_TARBALL := $FFMPEG_TARBALL
OPENCV_CFLAGS := $opencv_include
JSON_CFLAGS := $(pkg-config --cflags json-c | sed 's/-I/-isystem /g')
JSON_LIBS := $(pkg-config --libs json-c)
CHECK_CFLAGS := $(pkg-config --cflags check)
CHECK_LIBS := $(pkg-config --libs check)
END
mv "$BUILD/config.mk.new" "$BUILD/config.mk"
echo "Complete: $BUILD/config.mk written. Next: make"
