"""Two ways to use a page by what it says: with a pointer, and with the keyboard alone.

Both find a control by its visible label and act on what can be seen; neither knows an id or a class.
"""

from collections.abc import Iterator
from typing import Protocol

from playwright.async_api import Locator, Page, expect


class Hands(Protocol):
    """What a person does on a page."""

    async def write(self, label: str, text: str) -> None: ...

    async def choose(self, label: str, option: str) -> None: ...

    async def tick(self, label: str) -> None: ...

    async def press(self, name: str) -> None: ...

    async def follow(self, name: str) -> None: ...

    async def unfold(self, summary: str) -> None: ...

    async def date(self, label: str, day: str) -> None: ...


class _Finds:
    """A page, and its controls by their words; an exact label before one that only begins so."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def _labelled(self, label: str) -> Locator:
        return await self._first(self.page.get_by_label(label, exact=True), self.page.get_by_label(label))

    async def _named(self, role: str, name: str) -> Locator:
        whole = self.page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
        return await self._first(whole, self.page.get_by_role(role, name=name))  # type: ignore[arg-type]

    async def _first(self, exact: Locator, loose: Locator) -> Locator:
        exact, loose = exact.locator("visible=true"), loose.locator("visible=true")
        # A page may have its address before its content.
        await loose.first.wait_for()
        return exact.first if await exact.count() else loose.first


class Pointer(_Finds):
    """Clicks and types."""

    async def write(self, label: str, text: str) -> None:
        await (await self._labelled(label)).fill(text)

    async def choose(self, label: str, option: str) -> None:
        await (await self._labelled(label)).select_option(label=option)

    async def tick(self, label: str) -> None:
        await (await self._labelled(label)).check()

    async def press(self, name: str) -> None:
        await (await self._named("button", name)).click()

    async def follow(self, name: str) -> None:
        await (await self._named("link", name)).click()

    async def unfold(self, summary: str) -> None:
        await self.page.locator("summary", has_text=summary).first.click()

    async def date(self, label: str, day: str) -> None:
        await (await self._labelled(label)).fill(day)


#: More stops than the longest page has.
_STOPS = 400


class Keys(_Finds):
    """The keyboard alone: Tab to get there, then letters, arrows, Space and Enter."""

    async def _reach(self, target: Locator, *, group: bool = False) -> None:
        """Press Tab until the target has the focus; of a group of radio buttons any one."""
        there = """([one, group]) => one === document.activeElement
            || group && document.activeElement.name === one.name"""
        wanted = await target.element_handle()
        for _ in range(_STOPS):
            if await self.page.evaluate(there, [wanted, group]):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")

    async def write(self, label: str, text: str) -> None:
        target = await self._labelled(label)
        await self._reach(target)
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)
        await expect(target).to_have_value(text)

    async def choose(self, label: str, option: str) -> None:
        target = await self._labelled(label)
        await self._reach(target)
        await self.page.keyboard.press("Home")
        for _ in range(_STOPS):
            if await target.evaluate("one => one.selectedOptions[0].label") == option:
                return
            await self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{label} does not offer {option}")

    async def tick(self, label: str) -> None:
        target = await self._labelled(label)
        if await target.get_attribute("type") == "checkbox":
            await self._reach(target)
            await self.page.keyboard.press("Space")
        else:
            await self._reach(target, group=True)
            await self.page.keyboard.press("Space")
            for _ in range(20):
                if await target.is_checked():
                    break
                await self.page.keyboard.press("ArrowDown")
        await expect(target).to_be_checked()

    async def press(self, name: str) -> None:
        await self._reach(await self._named("button", name))
        await self.page.keyboard.press("Enter")

    async def follow(self, name: str) -> None:
        await self._reach(await self._named("link", name))
        await self.page.keyboard.press("Enter")

    async def unfold(self, summary: str) -> None:
        await self._reach(self.page.locator("summary", has_text=summary).first)
        await self.page.keyboard.press("Enter")

    async def date(self, label: str, day: str) -> None:
        target = await self._labelled(label)
        for digits in _orders(day):
            await self._reach(target)
            await self.page.keyboard.type(digits)
            if await target.input_value() == day:
                return
            # Back before the field, so that Tab enters it at its first part.
            for _ in range(4):
                await self.page.keyboard.press("Shift+Tab")
        raise AssertionError(f"{label} takes no date from the keyboard")


def _orders(day: str) -> Iterator[str]:
    """The digits of an ISO day as a French and as an American browser asks for them."""
    year, month, number = day.split("-")
    yield number + month + year
    yield month + number + year
