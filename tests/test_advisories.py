"""Ninety published advisories of fediverse servers and of the libraries they use, and what becomes of each here.

`TABLE` says for every one which tests cover it, wherever they stand, or why it does not apply. What is tested for this
table alone is in `tests/advisories/`, against a whole node over a real socket wherever the advisory is about one.
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent


class Covered:
    """By these tests; their names without `test_`."""

    def __init__(self, *names: str) -> None:
        self.names = names


class NotHere:
    """Why it does not apply yet."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


DOOR = "the_door_refuses_each_of_these_by_its_rule"

TABLE: dict[int, Covered | NotHere] = {
    1: Covered(DOOR),
    2: Covered(DOOR),
    3: Covered("3_an_actor_counts_at_its_own_host_only", "an_object_is_believed_by_its_proof_or_at_its_own_place"),
    4: Covered("4_a_document_of_another_content_type_is_no_key", "a_document_of_another_type_is_not_taken"),
    5: Covered("18_a_redirect_lends_no_authority", "5_nothing_here_is_uploaded"),
    6: Covered(
        "a_host_that_says_otherwise_does_not_confirm",
        "an_actor_that_says_otherwise_is_not_bound_to_the_handle",
    ),
    7: Covered("7_a_host_has_one_spelling_everywhere", "an_id_has_one_spelling"),
    8: Covered("a_broken_actor_is_refused", DOOR),
    9: Covered("9_no_address_that_runs_is_shown", "addresses_that_run_are_left_out"),
    10: Covered("advisory_10_an_alias_of_meaning_is_refused", "10_a_linked_data_signature_opens_no_door"),
    11: Covered("advisory_11_a_swapped_context_is_refused"),
    12: Covered("advisory_12_a_signed_create_that_is_regrouped_is_refused"),
    13: Covered("advisory_13_a_named_graph_is_refused"),
    14: Covered("advisory_14_keywords_under_other_names_are_refused"),
    15: Covered("advisory_15_no_leaf_can_be_changed", "no_leaf_of_a_signed_document_can_be_changed"),
    16: Covered("16_nobody_widens_the_audience_of_anothers_post"),
    17: Covered("17_a_post_is_known_by_its_id_and_never_by_its_url"),
    18: Covered("18_a_redirect_lends_no_authority"),
    19: Covered("19_nobody_changes_anothers_post"),
    20: Covered("a_signature_over_the_date_alone_is_refused", DOOR),
    21: Covered("19_nobody_changes_anothers_post"),
    22: Covered(
        "22_nobody_takes_over_a_known_or_a_local_key",
        "a_key_counts_if_it_is_the_actors_own_and_under_the_actors_own_id",
    ),
    23: Covered("23_nobody_posts_in_anothers_name_or_collection"),
    24: Covered("24_quotes_in_every_federated_text_do_nothing"),
    25: Covered("25_a_log_without_end_is_not_read_to_its_end"),
    26: Covered("26_a_table_of_heads_sends_us_nowhere_and_is_bounded"),
    27: Covered("27_an_archive_holds_what_a_backup_holds_or_nothing", "27_a_bundle_is_bounded"),
    28: Covered("28_no_key_leads_us_into_the_private_network", "a_special_address_is_refused_by_its_kind"),
    29: Covered("a_redirect_to_itself_ends", "a_redirect_to_a_forbidden_place_is_not_followed"),
    30: Covered("a_special_address_is_refused_by_its_kind"),
    31: NotHere("nobody's NodeInfo is read"),
    32: Covered(
        "three_redirects_are_followed_and_each_is_signed_anew",
        "a_redirect_to_a_forbidden_place_is_not_followed",
    ),
    33: Covered("33_what_is_noted_of_hosts_that_fail_goes_again"),
    34: Covered("a_dead_key_is_asked_for_once_however_many_requests_name_it", "a_redirect_to_itself_ends"),
    35: NotHere("no fetched HTML is read"),
    36: Covered("a_special_address_is_refused_by_its_kind"),
    37: Covered("no_spelling_of_a_forbidden_address_is_reached"),
    38: Covered("an_ipv4_address_is_judged_alike_however_it_is_wrapped"),
    39: Covered("39_who_is_not_pinned_has_no_rights_and_is_not_called"),
    40: Covered("a_resource_that_could_escape_is_refused", "a_name_that_changes_its_answer_gains_nothing"),
    41: NotHere("no link of a post is ever fetched: no previews, no webmentions, no image proxy"),
    42: Covered("56_what_is_hidden_and_what_never_was_are_answered_alike"),
    43: NotHere("no groups with moderators yet; Add and Remove are unknown types"),
    44: Covered("each_rule_says_what_it_says"),
    45: Covered("nothing_of_who_called_is_written_anywhere", "45_a_forged_address_opens_nothing"),
    46: Covered(
        "what_is_no_picture_or_too_much_of_one_is_refused",
        "a_second_file_inside_the_first_does_not_come_through",
        "each_file_that_will_not_do_is_named_with_its_reason",
        "a_decoder_that_takes_too_much_is_stopped",
        "a_name_that_is_no_digest_touches_nothing",
    ),
    47: NotHere("no previews"),
    48: Covered("the_deadline_is_for_the_whole_call", "a_body_that_dribbles_is_not_waited_for"),
    49: NotHere("no verified links"),
    50: Covered("no_foreign_html_leaves_a_door_open"),
    51: NotHere("no sign-in yet"),
    52: NotHere("no streaming yet"),
    53: NotHere("no streaming yet"),
    54: NotHere("no accounts yet, and no lists of blocked domains"),
    55: NotHere("no mail is sent"),
    56: Covered("56_what_is_hidden_and_what_never_was_are_answered_alike"),
    57: Covered("57_a_frozen_member_brings_nothing_new"),
    58: Covered("58_long_lists_cost_little", "lists_and_texts_are_bounded", DOOR),
    59: Covered("a_wrong_field_is_named_with_what_to_write"),
    60: Covered("no_row_of_one_organisation_is_anothers"),
    61: Covered("61_what_only_members_see_is_kept_by_no_cache"),
    62: Covered("61_what_only_members_see_is_kept_by_no_cache"),
    63: NotHere("no quote authorisations: quotes of ours are allowed to all, and quotes of others are not shown"),
    64: NotHere("no collections of others' items"),
    65: Covered("65_one_bad_post_breaks_no_list"),
    66: Covered("66_no_long_text_costs_long"),
    67: NotHere("no mail addresses"),
    68: Covered("68_no_path_leads_to_another_host"),
    69: NotHere("no admin API: the operator's way in is the command line"),
    70: NotHere("no LDAP"),
    71: Covered("71_who_did_not_accept_is_not_followed"),
    72: NotHere("no client of ours in the browser: pages work without scripts"),
    73: Covered("what_a_followed_stranger_shows_is_not_fetched", "only_three_types_are_taken"),
    74: NotHere("no accounts yet, no files of users"),
    75: NotHere("no sign-in yet"),
    76: NotHere("the texts of these are not published; to be read again when they are"),
    77: Covered("77_a_forwarded_delete_is_its_authors_or_nothing", "what_is_not_its_authors_is_refused_by_its_rule"),
    78: Covered("78_no_xml_is_read"),
    79: NotHere("no custom emoji"),
    80: Covered("84_a_body_that_nobody_wants_is_not_read"),
    81: Covered("81_ranges_are_not_computed"),
    82: Covered("82_no_host_header_changes_what_a_path_is"),
    83: Covered("83_no_method_reaches_more_than_its_route"),
    84: Covered("84_a_body_that_nobody_wants_is_not_read"),
    85: Covered("85_no_path_leaves_the_folder_of_static_files"),
    86: Covered("86_no_form_parser_is_installed_with_us"),
    87: Covered(
        "a_gzip_bomb_never_unfolds_in_memory",
        "headers_without_end_are_cut",
        "87_pinned_libraries_are_new_enough",
    ),
    88: Covered("88_a_request_has_one_length"),
    89: Covered("no_foreign_html_leaves_a_door_open"),
    90: Covered("advisory_90_an_unknown_context_is_named_and_never_fetched"),
}


def test_every_advisory_stands_in_the_table_once_and_its_tests_exist() -> None:
    assert list(TABLE) == list(range(1, 91))
    known = {name for path in TESTS.rglob("test_*.py") if "node_modules" not in path.parts for name in _tests_of(path)}
    named = {(number, name) for number, row in TABLE.items() if isinstance(row, Covered) for name in row.names}
    assert [each for each in sorted(named) if f"test_{each[1]}" not in known] == []


def test_every_number_is_covered_or_says_why_not() -> None:
    assert [number for number, row in TABLE.items() if isinstance(row, Covered) and not row.names] == []
    assert [number for number, row in TABLE.items() if isinstance(row, NotHere) and len(row.reason) < 5] == []


def test_every_test_that_bears_a_number_stands_in_the_table_under_it() -> None:
    named = {
        (number, f"test_{name}") for number, row in TABLE.items() if isinstance(row, Covered) for name in row.names
    }
    found = {name for path in (TESTS / "advisories").glob("test_*.py") for name in _tests_of(path)}
    numbered = {name for name in found if re.match(r"test_\d", name)}  # the others try what no advisory told yet
    assert {(int(re.sub(r"\D.*", "", name[5:])), name) for name in numbered} - named == set()


def _tests_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
