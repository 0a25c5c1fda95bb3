# SPDX-License-Identifier: GPL-2.0
# Sphinx: sphinx-build -W Documentation build/doc

project = "pnic"
author = "the pnic developers"
copyright = author
extensions = []
master_doc = "index"
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"page_width": "75em", "description": "the open Linux stack for a photonic NIC"}
html_show_copyright = False
highlight_language = "none"
smartquotes = False
