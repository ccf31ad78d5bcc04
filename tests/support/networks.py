"""Networks of real nodes in tests: what each shows, and joining as people do it, by sheets and words of members."""

from tests.support.processes import wait_until

PATIENCE = 40.0


def network(node):
    """The first network that a node knows, as `network list --json` shows it."""
    found = node.cli("network", "list", json=True)
    return found[0] if found else {"members": [], "candidates": [], "state": "", "voters": 0, "decisions": []}


def inside(node):
    """Dids of its members."""
    return {each["did"] for each in network(node)["members"]}


def pinned(node):
    """Dids that a node has pinned."""
    return {each["did"] for each in node.cli("member", "list", json=True) if each["state"] == "member"}


def decisions(node):
    """Proposal → what became of it."""
    return {each["proposal"]: each for each in node.cli("decision", "list", json=True)}


def until(check, what):
    """Wait for it, not for ever."""
    return wait_until(check, what, PATIENCE)


def founded(first, second, *more):
    """A network of two founders, at once."""
    first.cli("member", "add", second.handle, "--did", second.did)
    second.cli("member", "add", first.handle, "--did", first.did)
    first.cli("network", "found", "شبكة تدريب", "--also", "en=Exercise network", "--founder", second.did, *more)
    until(lambda: first.did in inside(second), "the other founder is told")
    second.cli("network", "accept")
    until(lambda: inside(first) == {first.did, second.did}, "both are founders")


def joined(folder, candidate, sponsor, second):
    """By a sheet and an answer that hands carry, and by the word of two."""
    sheet, answer = folder / "sheet.json", folder / "answer.json"
    sponsor.cli("network", "invite", "--to", str(sheet))
    said = candidate.cli("network", "join", str(sheet), "--to", str(answer))
    assert "Compare the words by voice" in said
    assert "has 1 of 2 voices" in sponsor.cli("network", "admit", str(answer))
    assert candidate.did not in inside(sponsor)
    until(lambda: any(each["did"] == candidate.did for each in network(second)["candidates"]), "the second hears of it")
    assert "is a member now" in second.cli("network", "admit", candidate.did)
    until(lambda: candidate.did in inside(candidate), "the newcomer has the whole history")


def voted(proposal, voters, closer, count=0):
    """All vote yes, and one closes it."""
    for each in voters:
        until(lambda each=each: proposal in decisions(each), "the proposal is there")
        each.cli("decision", "vote", proposal[:16], "yes")
    until(lambda: len(decisions(closer)[proposal]["votes"]) == (count or len(voters)), "every vote is there")
    closer.cli("decision", "close", proposal[:16])
