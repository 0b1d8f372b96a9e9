#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# install.sh: called by `make install` with BUILD, PREFIX, DESTDIR and VERSION; copies what was built. Nothing installed points
# into the build folder: LibTorch's libraries are copied to lib/aianime, where the run paths of the engine and the tool look.
. "$(dirname "$0")/common.sh"

[ "${PREFIX#/}" != "$PREFIX" ] || die "PREFIX must be an absolute folder, not '$PREFIX'"
root=${DESTDIR:-}$PREFIX
say "installing to $root"
mkdir -p "$root"/bin "$root"/lib/aianime "$root"/lib/pkgconfig "$root"/include "$root"/share/aianime

install -m 755 "$BUILD"/install/libaianime.so.1 "$root/lib/"
ln -sf libaianime.so.1 "$root/lib/libaianime.so"
install -m 644 vf_aianime/include/aianime.h "$root/include/"
sed -e "s|@PREFIX@|$PREFIX|" -e "s|@VERSION@|$VERSION|" libaianime.pc.in >"$root/lib/pkgconfig/libaianime.pc"
install -m 755 "$BUILD"/install/aianime "$BUILD"/bin/ffmpeg "$BUILD"/bin/ffprobe "$root/bin/"

# Templates and packs are replaced as a whole, so that a file that went away does not stay.
for folder in templates models; do
    rm -rf "$root/share/aianime/$folder"
    cp -r "$folder" "$root/share/aianime/"
done
install -m 644 LICENSE THIRD_PARTY.md "$root/share/aianime/"
install -m 755 tools/convert_pickle.py "$root/share/aianime/"

for library in "$BUILD"/run/torch/lib/*; do
    target=$root/lib/aianime/$(basename "$library")
    [ -e "$target" ] && [ "$(stat -L -c %s "$library")" = "$(stat -c %s "$target")" ] && cmp -s "$library" "$target" && continue
    cp -L "$library" "$target"
done
say "installed: $root/bin/ffmpeg, ffprobe, aianime; the library needs $(du -sh "$root/lib/aianime" | cut -f 1) of LibTorch beside it"
