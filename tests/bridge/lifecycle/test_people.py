"""Who may change the rules, and how they show who they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.lifecycle.people import NotKnown, Role, identify, read_people, remove_person, write_person
from bridge.settings.secret import hash_secret
from ruleset.problem import Problems


def people_of(file: Path, problems: Problems | None = None) -> dict[str, frozenset[Role]]:
    found = read_people("people.yaml", file.read_text(), problems or Problems())
    return {name: person.roles for name, person in found.items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "people.yaml"
    write_person(file, "anna", [Role.AUTHOR], hash_secret("correct horse"))
    write_person(file, "ben", [Role.APPROVER, Role.OPERATOR], hash_secret("battery staple"))
    return file


def test_a_person_is_known_by_their_secret_alone(file: Path) -> None:
    people = read_people("people.yaml", file.read_text(), Problems())
    assert identify(people, "anna", "correct horse").may(Role.AUTHOR)
    for name, secret in (("anna", "battery staple"), ("ben", "correct horse"), ("carl", "correct horse")):
        with pytest.raises(NotKnown):
            identify(people, name, secret)


def test_no_secret_stands_in_the_file_and_only_its_owner_reads_it(file: Path) -> None:
    assert "horse" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_roles_are_changed_without_the_secret_and_comments_stay(file: Path) -> None:
    file.write_text(f"# who does what\n{file.read_text()}")
    write_person(file, "anna", [Role.OPERATOR], None)
    assert people_of(file)["anna"] == {Role.OPERATOR}
    assert file.read_text().startswith("# who does what")
    assert identify(read_people("", file.read_text(), Problems()), "anna", "correct horse").name == "anna"


def test_somebody_taken_out_is_not_known_any_more(file: Path) -> None:
    remove_person(file, "anna")
    assert people_of(file).keys() == {"ben"}
    with pytest.raises(ValueError, match=r"does not have bem; did you mean \"ben\""):
        remove_person(file, "bem")


@pytest.mark.parametrize(
    ("name", "roles", "secret"), [("Anna!", [Role.AUTHOR], "x"), ("zoe", None, "x"), ("zoe", [Role.AUTHOR], None)]
)
def test_somebody_new_needs_a_name_a_role_and_a_secret(
    file: Path, name: str, roles: list[Role] | None, secret: str | None
) -> None:
    before = file.read_text()
    with pytest.raises(ValueError, match=r"cannot be a name|they need a role and a secret"):
        write_person(file, name, roles, secret)
    assert file.read_text() == before


def test_a_secret_of_few_letters_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8 characters"):
        hash_secret("short")


def test_what_is_wrong_in_the_file_is_told_at_its_place() -> None:
    problems = Problems()
    text = "anna: {roles: [autor], secret: secret123}\nBen: {roles: [author]}\n"
    read_people("people.yaml", text, problems)
    assert [str(problem) for problem in problems.all] == [
        'people.yaml:1:16: "autor" is not possible here; did you mean "author"?',
        "people.yaml:1:32: this is no argon2id hash; `uns-bridge people secret NAME` writes one",
        'people.yaml:2:1: "Ben" cannot be a name: lower case letters, digits, ".", "-" and "_", as in anna.meier',
        'people.yaml:2:6: key "secret" is missing here',
    ]
