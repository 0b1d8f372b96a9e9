# SPDX-License-Identifier: LGPL-2.1-or-later
"""Single modules of controlnet_aux without its __init__.py, which imports all of them and what they depend on."""

import importlib
import importlib.util
import sys
import types


def reference(name):
    """controlnet_aux.<name>, for instance reference("hed") or reference("midas.midas.dpt_depth")."""
    if "controlnet_aux" not in sys.modules:
        package = types.ModuleType("controlnet_aux")
        package.__path__ = importlib.util.find_spec("controlnet_aux").submodule_search_locations
        sys.modules["controlnet_aux"] = package
    return importlib.import_module("controlnet_aux." + name)
