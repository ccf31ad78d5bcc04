"""A secret among several people: any k have it, and to any fewer every secret is as likely as any other."""

import secrets
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from node import sharing

shapes = st.tuples(st.integers(2, 5), st.integers(2, 3)).filter(lambda each: each[0] >= each[1])


@given(shapes, st.binary(min_size=32, max_size=32), st.randoms(use_true_random=False))
def test_any_k_have_the_key_and_any_fewer_could_have_every_key(shape, key, chance):
    count, threshold = shape
    parts = sharing.split(key, count, threshold, chance.randbytes)
    for group in combinations(range(count), threshold):
        assert sharing.join({number: parts[number] for number in group}, threshold) == key
    other = chance.randbytes(32)
    for group in combinations(range(count), threshold - 1):
        held = {number: parts[number] for number in group}
        assert sharing.join(held, threshold) is None
        # Whatever key one thinks of, there is a set of missing parts that makes it: so what is held excludes none.
        for whole in combinations(range(count), threshold):
            name = "-".join(map(str, whole))
            missing = [number for number in whole if number not in group]
            assert missing
            forged = {number: {name: parts[number][name]} for number in whole}
            first = bytes(a ^ b ^ c for a, b, c in zip(parts[missing[0]][name], key, other, strict=True))
            forged[missing[0]] = {name: first}
            assert sharing.join(forged, threshold) == other
            assert all(forged[number][name] == parts[number][name] for number in group if number in whole)


def test_no_two_parts_are_alike_and_nobody_holds_more_than_its_groups():
    parts = sharing.split(bytes(32), 5, 3, secrets.token_bytes)
    everything = [part for each in parts for part in each.values()]
    assert len(set(everything)) == len(everything) == 30
    assert {len(each) for each in parts} == {6}
