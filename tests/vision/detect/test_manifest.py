from __future__ import annotations

import pytest

import edge
from edge.errors import ConfigError
from edge.vision.detect.formats import FORMATS
from edge.vision.detect.manifest import find, manifest_directory, read_manifest


def test_the_manifest_of_this_checkout_is_sound_and_has_one_default():
    models = read_manifest(manifest_directory())
    assert [model.default for model in models].count(True) == 1
    assert find("", models).default
    assert {model.decoder for model in models} <= set(FORMATS)


def test_an_installed_package_carries_its_own_manifest(tmp_path, monkeypatch):
    package = tmp_path / "edge"
    (package / "_models").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(edge, "__file__", str(package / "__init__.py"))
    assert manifest_directory() == tmp_path / "models"
    (package / "_models/manifest.toml").write_text("")
    assert manifest_directory() == package / "_models"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[model]", "cannot be read"),
        ("\x00", "cannot be read"),
        ("[[model]]\nname = 'x'", "sha256"),
        ("[model]\nname = 'x'", "sha256"),
        ("model = 3", "model"),
        ("[[model]]\nfile = '../../etc/passwd'", "file"),
        ("#" + "x" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_bad_manifest_is_told_with_its_place(text, problem, tmp_path):
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ConfigError, match=problem) as error:
        read_manifest(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_a_missing_manifest_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_manifest(tmp_path)


def test_without_a_default_the_empty_name_finds_nothing(tmp_path):
    (tmp_path / "manifest.toml").write_text("")
    with pytest.raises(ConfigError, match="the default"):
        find("", read_manifest(tmp_path))
