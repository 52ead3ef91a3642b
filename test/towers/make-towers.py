"""Writes the packages beside this script: tiny dual encoders with the interfaces of real ones, and their
goldens.

Run with Debian 12's python3-torch, python3-onnx, python3-pil and python3-sentencepiece:
/usr/bin/python3 test/towers/make-towers.py
"""
import os
import shutil
import sys

sys.dont_write_bytecode = True

import torch

from maker import families, pictures

ROOT = os.path.dirname(os.path.abspath(__file__))


def main():
    """Makes everything anew."""
    torch.set_num_threads(1)
    names = pictures.make_pictures(os.path.join(ROOT, "images"))
    for make in families.ALL:
        package = make()
        shutil.rmtree(os.path.join(ROOT, package.name), ignore_errors=True)
        package.check(ROOT, names)
        package.write(ROOT, names)


main()
