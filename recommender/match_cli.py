"""``telemachos match``: a whole group at once from the command line, as the page does it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.domain import RoundId
from recommender.matching import Aim
from recommender.wording import Language, say

if TYPE_CHECKING:
    from recommender.round_answers import LeftOverNow
    from recommender.rounds import Draft
    from recommender.service import Service


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("match")(match)


def match(
    round_id: Annotated[str | None, typer.Option("--round", help="A draft to run again; locked pairs stay.")] = None,
    aim: Annotated[Aim | None, typer.Option(help="What to aim at.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of a new round.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Make it real: places taken, all invited.")] = False,
    who: Annotated[str, typer.Option(help="Who does this, for the log.")] = "coordinator",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
    home: Annotated[Path | None, typer.Option(help="Folder with the database, encoders and models.")] = None,
) -> None:
    """Match everybody who waits, or run a draft again. Nobody is told before --publish."""
    from recommender.cli import opened, print_json, progress_bar, refusals

    with opened(home) as here, refusals(here.settings.language):
        service, language = here.service, here.settings.language
        if round_id is None:
            options = service.rounds.options(aim)
            with progress_bar(say("progress.round", language)) as bar:
                draft = service.rounds.gather(name or say("match.name", language), who, options, bar)
        else:
            held = service.rounds.round(RoundId(round_id))
            options = service.rounds.options(aim, held.options)
            draft = service.rounds.run(held.id, held.version, who, options)
        left = service.round_answers.left_over(draft.round.id)
        if publish:
            service.rounds.publish(draft.round.id, draft.round.version, who)
            draft = service.rounds.draft(draft.round.id)
        if as_json:
            print_json(_document(draft, left))
        else:
            _tell(service, draft, left, language)


def _document(draft: "Draft", left: "list[LeftOverNow]") -> dict[str, object]:
    return {
        "round_id": draft.round.id,
        "state": draft.round.state,
        "aim": draft.round.options.aim,
        "matched": len(draft.pairs),
        "mean_quality": draft.quality,
        "pairs": [
            {
                "senior_id": each.senior_id,
                "junior_id": each.junior_id,
                "quality": each.quality,
                "locked": each.locked,
                "source": each.source,
            }
            for each in draft.pairs
        ],
        "left_over": [
            {
                "senior_id": each.senior_id,
                "reason": each.reason,
                "competing": list(each.seniors),
                "shared": list(each.juniors),
                "places": each.places,
                "change": {"kind": each.change.kind, "junior_id": each.change.junior_id, "value": each.change.value}
                if each.change
                else None,
            }
            for each in left
        ],
        "violations": [
            {"rule": each.rule, "senior_id": each.senior_id, "junior_id": each.junior_id} for each in draft.violations
        ],
    }


def _tell(service: "Service", draft: "Draft", left: "list[LeftOverNow]", language: Language) -> None:
    for each in draft.pairs:
        senior, junior = service.senior(each.senior_id), service.junior(each.junior_id)
        print(f"{senior.name} ({senior.id}) - {junior.name} ({junior.id})  {each.quality:.2f}")
    for one in left:
        print(say("match.left_over", language, name=service.senior(one.senior_id).name))
    counts = {"matched": len(draft.pairs), "left": len(draft.left_over), "violations": len(draft.violations)}
    print(say("match.done", language, id=draft.round.id, **counts))
