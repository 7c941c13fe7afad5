"""Browser, tables: runs are compared, a score is calculated, a cohort is looked at; all pages are accessible."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def workbench(tables: Any, serve: Any) -> Any:
    return serve(tables.runs, tables.cohorts)


def test_two_runs_are_chosen_and_compared(workbench: Any, opened: Any) -> None:
    seen = opened(workbench)
    page = seen.go("/runs")
    page.fill("#find", "nothing like it")
    assert page.locator("#runs-count").inner_text() == "0 of 2 shown"
    page.fill("#find", "nam_2020")
    page.click("#runs th button >> text=Run")
    assert page.locator("#runs tbody th a").all_inner_texts() == ["one", "two"]
    page.click("#runs th button >> text=Run")
    assert page.locator("#runs tbody th a").all_inner_texts() == ["two", "one"]
    assert seen.faults() == []
    for name in ("one", "two"):
        page.check(f"[aria-label='Compare {name}']")
    page.click("text=Compare two")
    page.wait_for_selector("html[data-ready=curves]", state="attached")
    assert "epochs" in page.locator("main").inner_text()
    assert "paired" in page.locator("#paired").inner_text()
    assert page.locator(".plot.roc canvas").count() >= 1
    assert seen.faults() == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", ["/", "/cases", "/runs/one", "/cohorts/a", "/reading", "/scores", "/scores/page_b"])
def test_pages_are_accessible_and_fit_a_phone(workbench: Any, opened: Any, path: str, dark: bool) -> None:
    seen = opened(workbench, width=390, dark=dark)
    page = seen.go(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert seen.faults() == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_an_upload_that_was_interrupted_goes_on(workbench: Any, opened: Any, tables: Any) -> None:
    seen = opened(workbench)
    page = seen.go("/")
    broken = []

    def once(route: Any) -> None:
        if route.request.method == "PATCH" and not broken:
            broken.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/v1/uploads/*", once)
    page.set_input_files("#files", str(tables.cohorts / "b" / "patients.csv"))
    page.wait_for_selector("text=interrupted, trying again")
    page.wait_for_selector("html[data-drop=whole]", state="attached")
    assert len(broken) == 1
    page.select_option("#run", "one")
    page.click("#go")
    page.wait_for_url("**/cases/*")
    workbench.finish()
    page.wait_for_selector("[data-verdict], .score")
    seen.complaints.clear()  # the browser itself notes the broken connection


def test_a_user_signs_in_by_password(tables: Any, serve: Any, chromium: Any) -> None:
    named = serve(tables.runs, tables.cohorts, users=True)
    named.bench.accounts.set_user("reader", role="reader", password="a long enough password")
    page = chromium.new_context(viewport={"width": 390, "height": 800}).new_page()
    page.goto(f"{named.base}/runs")
    assert page.locator("#runs").count() == 0
    page.click("a.button")
    page.fill("[name=name]", "reader")
    page.fill("[name=password]", "a wrong enough password")
    page.click("button.first")
    page.wait_for_selector("[role=alert]:visible")
    page.fill("[name=password]", "a long enough password")
    page.click("button.first")
    page.wait_for_selector("#sign-out")
    page.goto(f"{named.base}/runs")
    assert page.locator("#runs tbody tr").count() == 2
    page.click("#sign-out")
    page.wait_for_selector("#sign-out", state="detached")
    page.goto(f"{named.base}/runs")
    assert page.locator("#runs").count() == 0
    page.context.close()


def test_a_cohort_is_looked_at_once_a_worker_has_the_time(workbench: Any, opened: Any) -> None:
    page = opened(workbench).go("/cohorts/b")
    page.click("text=Look at the specimens")
    page.wait_for_selector("text=Waiting for a worker")
    workbench.finish()
    inside = page.frame_locator("iframe")
    inside.locator("text=hepatica check").wait_for()
    assert "Cohort phantom_B" in inside.locator("h1").inner_text()


def test_a_score_is_calculated_with_another_unit(workbench: Any, opened: Any) -> None:
    page = opened(workbench).go("/scores/page_b")
    page.fill("[name=age]", "61")
    page.select_option("[name=sex]", "male")
    page.fill("[name=platelets]", "90")
    page.click("text=Calculate")
    page.wait_for_selector("[data-result=score]")
    assert "23 points" in page.locator("[data-result]").inner_text()


def test_a_refusal_is_a_page_with_a_way_back(workbench: Any, opened: Any) -> None:
    seen = opened(workbench)
    page = seen.go("/cases/0123")
    assert "there is no case of that id" in page.locator("[role=alert]").inner_text()
    seen.complaints.clear()  # the browser itself notes the 404
