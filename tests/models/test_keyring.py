"""Private keys: their owner's alone, never overwritten, whole or not there, and only the right one is taken."""

import os
import stat

import pytest

from node.errors import ConfigurationError
from node.federation.protocol import keys
from node.models.keyring import Keyring, write_private


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Keyring, str]:
    """A keyring with one organisation; tests that change it copy it first."""
    ring = Keyring(tmp_path_factory.mktemp("made") / "keys")
    return ring, ring.create().did


@pytest.fixture
def ring(made, tmp_path) -> tuple[Keyring, str]:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    for path in made[0].folder.iterdir():
        write_private(folder / path.name, path.read_bytes())
    return Keyring(folder), made[1]


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folder_and_files_are_their_owners_alone(tmp_path, umask):
    before = os.umask(umask)
    try:
        found = Keyring(tmp_path / "data" / "keys")
        key = found.create()
    finally:
        os.umask(before)
    assert mode(found.folder) == 0o700
    names = {f"{key.multikey}.ed25519.pem", f"{key.multikey}.rsa.pem", "application.rsa.pem"}
    assert {path.name: mode(path) for path in found.folder.iterdir()} == dict.fromkeys(names, 0o600)
    assert found.exposed() == ()


def test_the_keys_come_back_after_a_restart(made):
    ring, did = made
    again = Keyring(ring.folder)
    assert again.organisation(did).did == did
    assert again.organisation(did) is again.organisation(did)
    assert keys.public_pem(again.rsa(did).public_key()) == keys.public_pem(ring.rsa(did).public_key())
    assert keys.public_pem(again.application.public_key()) == keys.public_pem(ring.application.public_key())


def test_a_second_organisation_changes_nothing_of_the_first(ring):
    found, did = ring
    before = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    second = found.create()
    assert second.did != did
    after = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    assert before.items() <= after.items()
    assert len(after) == 5


def test_a_key_that_is_there_is_never_overwritten(ring):
    found, did = ring
    before = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    found.adopt(found.organisation(did))
    assert {path.name: path.read_bytes() for path in found.folder.iterdir()} == before


def test_what_a_crash_left_half_written_is_in_nobodys_way(tmp_path):
    found = Keyring(tmp_path / "keys")
    found.folder.mkdir(mode=0o700)
    (found.folder / ".application.rsa.pem.part").write_bytes(b"-----BEGIN")
    found.create()
    assert found.application.key_size >= 2048
    assert not list(found.folder.glob(".*"))


def test_a_key_that_is_not_here_is_named_with_the_mend(tmp_path, made):
    with pytest.raises(ConfigurationError, match="restore the keys"):
        Keyring(tmp_path / "keys").organisation(made[1])


@pytest.mark.parametrize(
    ("suffix", "content", "refusal"),
    [
        (".ed25519.pem", keys.private_pem(keys.generate_organisation_key().private), "another organisation's key"),
        (".ed25519.pem", keys.private_pem(keys.generate_rsa_key()), "another kind of key"),
        (".rsa.pem", keys.private_pem(keys.generate_organisation_key().private), "another kind of key"),
        (".ed25519.pem", b"", "key"),
        (".rsa.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "key"),
    ],
    ids=["another's", "an RSA key", "an Ed25519 key", "empty", "torn"],
)
def test_a_wrong_key_is_refused(ring, suffix, content, refusal):
    found, did = ring
    (found.folder / (did.removeprefix("did:key:") + suffix)).write_bytes(content)
    again = Keyring(found.folder)
    with pytest.raises(ConfigurationError, match=refusal):
        again.organisation(did) if "ed25519" in suffix else again.rsa(did)


def test_a_key_that_others_can_read_is_named(ring):
    found, _ = ring
    (found.folder / "application.rsa.pem").chmod(0o644)
    assert found.exposed() == ("application.rsa.pem",)


def test_a_private_file_is_new_or_refused(tmp_path):
    path = tmp_path / "recovery.txt"
    write_private(path, b"sheet")
    with pytest.raises(ConfigurationError, match="never overwritten"):
        write_private(path, b"other")
    assert (path.read_bytes(), mode(path)) == (b"sheet", 0o600)


def test_a_private_file_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_private(tmp_path / "nowhere" / "recovery.txt", b"sheet")
