"""``trait-union report``: the activity of a territory, as CSV, a workbook or a PDF, on standard output."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from matcher.cli_house import InHouse
from matcher.service import reports
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.web import report_files


class Format(StrEnum):
    """How the report is written."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


def register(app: typer.Typer, in_house: InHouse) -> None:
    """Add the command to ``app``."""

    @app.command()
    def report(
        territory: Annotated[str, typer.Option(help="L’identifiant du territoire.")],
        first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Premier jour.")],
        last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Dernier jour.")],
        format_: Annotated[Format, typer.Option("--format", help="csv, xlsx ou pdf.")] = Format.CSV,
    ) -> None:
        """Le rapport d’activité d’une période, sur la sortie standard."""

        async def made(house: House) -> bytes:
            if territory not in house.territories:
                raise Invalid({"territory": "ce territoire n’existe pas ; « trait-union init » le crée"})
            figures = await reports.figures(house, territory, first.date(), last.date())
            return report_files.made(format_, figures, house.territory(territory).settings.name, house.now())

        sys.stdout.buffer.write(in_house(made))
