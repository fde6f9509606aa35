"""Configuration of the documentation: ``sphinx-build -W -b html docs docs/_build``."""

from sphinx.ext import autosummary

import sklearn_ndk

project = "sklearn-ndk"
author = "The sklearn-ndk developers"
copyright = author
release = version = sklearn_ndk.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
autosummary.WELL_KNOWN_ABBREVIATIONS += ("Eq.", "Eqs.")  # they end no summary
default_role = "literal"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "FileNameSortKey",
    "show_memory": False,
    "doc_module": ("sklearn_ndk",),
    "backreferences_dir": "generated/backreferences",
}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn-ndk"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_theme_options = {"show_prev_next": False}


def skip_foreign_members(app, what, name, obj, skip, options):
    """Leave out scikit-learn's own methods, whose documentation is elsewhere."""
    module = getattr(obj, "__module__", None) or ""
    return True if module.startswith("sklearn.") or name.startswith("set_") else None


def setup(app):
    """Connect to Sphinx."""
    app.connect("autodoc-skip-member", skip_foreign_members)
