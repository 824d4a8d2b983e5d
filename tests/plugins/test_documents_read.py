"""Web pages, PDF and Word files: one note each, and what is wrong with a file is said."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import HOSTILE, at_most
from secondme_plugins import docx, html, html_page, pdf

from secondme.records import Note, Skipped

CHANGED = datetime(2021, 5, 6, 7, 8, tzinfo=UTC)
Reader = Callable[[Path], Iterator[Note | Skipped] | None]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    return path


def read(reader: Reader, path: Path) -> list[Note | Skipped]:
    found = reader(path)
    assert found is not None
    return list(found)


def only(reader: Reader, path: Path) -> Note:
    [note] = read(reader, path)
    assert isinstance(note, Note), note
    return note


def why(reader: Reader, path: Path) -> str:
    [skipped] = read(reader, path)
    assert isinstance(skipped, Skipped)
    return skipped.why


def pdf_of(*pages: str, info: str = "") -> bytes:
    """A PDF of pages with a line of text each."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET" if text else ""
        resources = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * at} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] {resources} >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< {info} >>")
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return out + f"{head}trailer\n{trailer}\nstartxref\n{len(out)}\n%%EOF\n".encode()


_TYPES = """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
_RELATIONS = """<?xml version="1.0"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
 Target="word/document.xml"/></Relationships>"""
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx_of(path: Path, *paragraphs: str, properties: str = "") -> Path:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELATIONS)
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>')
        if properties:
            archive.writestr("docProps/core.xml", f"<cp:coreProperties>{properties}</cp:coreProperties>")
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    return path


@pytest.mark.parametrize(
    ("reader", "mine", "other"),
    [
        (html.read_document, "a.HTM", "a.md"),
        (pdf.read_document, "a.PDF", "a.html"),
        (docx.read_document, "a.docx", "~$a.docx"),
    ],
)
def test_each_claims_its_files_by_name(reader: Reader, mine: str, other: str) -> None:
    assert reader(Path(mine)) is not None
    assert reader(Path(other)) is None


def test_a_page_is_its_words_without_scripts_and_styles(tmp_path: Path) -> None:
    page = """<html><head><title>The  Lock &amp; Key</title><style>p {color: red}</style></head><body>
    <h1>Locks</h1><script>alert("stolen")</script><p>The <b>spare key</b> lies under the pot.</p>
    <img src="data:image/png;base64,AAAA" alt="A pot"><ul><li>one</li><li>two</li></ul></body></html>"""
    path = write(tmp_path / "a.html", page.encode())
    note = only(html.read_document, path)
    assert "# Locks" in note.text
    assert "**spare key**" in note.text
    assert "A pot" in note.text
    for lost in ("alert", "color", "base64", "<"):
        assert lost not in note.text
    assert (note.uri, note.thread, note.title) == (str(path), str(path), "The Lock & Key")
    assert (note.happened_at, note.origin) == (CHANGED, "clip")


@pytest.mark.parametrize(
    ("name", "head", "moment"),
    [
        ("a.html", '<meta property="article:published_time" content="2024-06-01T10:30:00Z">', "2024-06-01T10:30"),
        ("a.html", '<time datetime="2024-06-01T10:30:00Z">June</time>', "2024-06-01T10:30"),
        ("a.html", "", "2021-05-06T07:08"),
        ("a.html", '<meta name="date" content="next Friday">', "2021-05-06T07:08"),
    ],
)
def test_a_page_is_dated_by_what_it_says_of_itself(tmp_path: Path, name: str, head: str, moment: str) -> None:
    note = only(html.read_document, write(tmp_path / name, f"{head}<p>words</p>".encode()))
    assert note.happened_at is not None
    assert note.happened_at.astimezone(UTC).isoformat().startswith(moment)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_a_page_is_read_in_the_encoding_it_has(tmp_path: Path, encoding: str) -> None:
    page = f'<meta charset="{encoding}"><p>Grüße aus Köln</p>'
    assert "Grüße aus Köln" in only(html.read_document, write(tmp_path / "a.html", page.encode(encoding))).text


def test_a_page_that_lies_about_its_encoding_is_read(tmp_path: Path) -> None:
    page = b'<meta charset="ascii-nonsense"><p>Gr\xc3\xbc\xc3\x9fe</p>'
    assert "Grüße" in only(html.read_document, write(tmp_path / "a.html", page)).text


def test_a_page_nested_without_end_is_refused_and_not_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.html", b"<div>" * 100_000)
    assert why(html.read_document, path) == "nested too deeply"


@pytest.mark.parametrize("page", [b"", b"<script>only()</script>", b"<html><body></body></html>"])
def test_a_page_without_words_is_skipped(tmp_path: Path, page: bytes) -> None:
    assert why(html.read_document, write(tmp_path / "a.html", page)) == "no text in it"


def test_a_pdf_is_the_text_of_its_pages(tmp_path: Path) -> None:
    content = pdf_of("The boiler was serviced.", "It leaks.", info="/Title (Boiler) /CreationDate (D:20240601103000Z)")
    path = write(tmp_path / "a.pdf", content)
    note = only(pdf.read_document, path)
    assert note.text == "The boiler was serviced.\n\nIt leaks."
    assert (note.title, note.uri, note.origin) == ("Boiler", str(path), "clip")
    assert note.happened_at == datetime(2024, 6, 1, 10, 30, tzinfo=UTC)


def test_a_pdf_named_after_a_day_is_of_that_day(tmp_path: Path) -> None:
    content = pdf_of("An invoice", info="/CreationDate (D:20240601103000Z)")
    note = only(pdf.read_document, write(tmp_path / "2023-04-05 invoice.pdf", content))
    assert note.happened_at == datetime(2023, 4, 5).astimezone()
    assert note.title == "2023-04-05 invoice"


def test_a_pdf_of_pictures_is_said_to_hold_no_text(tmp_path: Path) -> None:
    assert "only pictures" in why(pdf.read_document, write(tmp_path / "a.pdf", pdf_of("", "")))


def test_a_pdf_of_too_many_pages_is_cut_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_PAGES", 2)
    note, cut = read(pdf.read_document, write(tmp_path / "a.pdf", pdf_of("one", "two", "three")))
    assert isinstance(note, Note)
    assert note.text == "one\n\ntwo"
    assert isinstance(cut, Skipped)
    assert cut.why == "only its first 2 of 3 pages are taken"


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"no pdf at all", pdf_of("cut")[:60]])
def test_a_broken_pdf_is_skipped(tmp_path: Path, content: bytes) -> None:
    assert why(pdf.read_document, write(tmp_path / "a.pdf", content)) == "not a readable PDF"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("D:20240601103000Z", "2024-06-01T10:30:00+00:00"),
        ("D:20240601103000+02'00'", "2024-06-01T10:30:00+02:00"),
        ("D:20240601103000-0530", "2024-06-01T10:30:00-05:30"),
        ("D:2024", "2024-01-01T00:00:00+00:00"),
        ("D:20241301", None),
        ("D:00010101", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_dates_of_pdf_are_understood(text: str, moment: str | None) -> None:
    found = pdf.pdf_moment(text)
    assert (found.isoformat() if found else None) == moment


def test_a_word_file_is_its_words(tmp_path: Path) -> None:
    properties = "<dc:title>Plan</dc:title><dcterms:created>2024-06-01T10:30:00Z</dcterms:created>"
    path = docx_of(tmp_path / "a.docx", "We meet in Lisbon.", "Bring the key.", properties=properties)
    note = only(docx.read_document, path)
    assert note.text == "We meet in Lisbon.\n\nBring the key."
    assert (note.title, note.uri, note.origin) == ("Plan", str(path), "file")
    assert note.happened_at == datetime(2024, 6, 1, 10, 30, tzinfo=UTC)


def test_a_word_file_without_properties_goes_by_its_name_and_time(tmp_path: Path) -> None:
    note = only(docx.read_document, docx_of(tmp_path / "a.docx", "words"))
    assert (note.title, note.happened_at) == ("a", CHANGED)


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as member:
        for _ in range(120):
            member.write(bytes(1 << 20))
    assert why(docx.read_document, path) == "an archive that unpacks to 125,829,120 bytes"


def test_an_archive_of_thousands_of_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(docx.MOST_MEMBERS + 1):
            archive.writestr(f"{number}", b"")
    assert why(docx.read_document, path) == "an archive of 2,001 files"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_broken_word_file_is_skipped(tmp_path: Path, content: bytes) -> None:
    assert why(docx.read_document, write(tmp_path / "a.docx", content)).startswith("not a readable Word file")


def test_a_word_file_without_text_is_skipped(tmp_path: Path) -> None:
    assert why(docx.read_document, docx_of(tmp_path / "a.docx")) == "no text in it"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["a.html", "a.pdf", "a.docx"]), st.data())
def test_a_damaged_file_gives_notes_or_reasons_and_never_a_crash(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    good = {
        "a.html": b"<html><title>x</title><p>words <b>and</b> more",
        "a.pdf": pdf_of("words", info="/Title (x)"),
        "a.docx": docx_of(tmp_path / "good.docx", "words").read_bytes(),
    }[name]
    content = bytearray(good)
    for place in data.draw(st.lists(st.integers(0, len(good) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path = write(tmp_path / name, bytes(content[: data.draw(st.integers(0, len(content)))]))
    reader = {"a.html": html, "a.pdf": pdf, "a.docx": docx}[name].read_document
    assert all(isinstance(item, Note | Skipped) for item in read(reader, path))


@pytest.mark.parametrize(
    "part",
    [
        "<title",
        "<title>",
        "<meta date",
        "<meta date content",
        "<time ",
        "<script>",
        "</script ",
        "<a",
        "data:a",
        "![",
        "![](",
    ],
)
@pytest.mark.parametrize("is_one", [True, False])
def test_a_page_made_to_keep_a_reader_busy_does_not(tmp_path: Path, part: str, is_one: bool) -> None:
    page = part + "a " * (HOSTILE // 2) if is_one else part * (HOSTILE // len(part))
    head = page[: html_page._HEAD]
    with at_most(2):
        html_page._depth(page)
        html_page._without_dropped(page)
        html_page._DATA.sub("", page)
        html_page._PICTURE.sub("", page)
        for found in (html_page._TITLE.search(head), html_page._TIME.search(head), html_page._meta(head)):
            assert found is None


def test_what_is_dropped_from_a_page_ends_where_it_is_closed() -> None:
    page = "a<SCRIPT x>1</script\n>b<svg><style>2</style>c<style>3</svg>d<header>e</header><noscript>f"
    assert html_page._without_dropped(page) == "abd<header>e</header><noscript>f"


def test_a_small_word_file_that_was_packed_well_is_read(tmp_path: Path) -> None:
    path = docx_of(tmp_path / "a.docx", *["The same words again and again."] * 20_000)
    assert path.stat().st_size * docx.MOST_RATIO < 800_000
    assert only(docx.read_document, path).text.count("again and again") == 20_000


def test_a_word_file_of_broken_xml_is_said_to_be_broken(tmp_path: Path) -> None:
    assert why(docx.read_document, docx_of(tmp_path / "a.docx", "<w:p>")) == "not a readable Word file"


def test_a_pdf_whose_page_is_broken_is_said_to_be_broken(tmp_path: Path) -> None:
    content = pdf_of("one").replace(b"/Type /Page ", b"/Type /None ")
    assert why(pdf.read_document, write(tmp_path / "a.pdf", content)) == "not a readable PDF"


def test_the_pages_that_can_be_read_are_read_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_page = pdf._text
    monkeypatch.setattr(pdf, "_text", lambda document, at: None if at == 1 else read_page(document, at))
    note, broken = read(pdf.read_document, write(tmp_path / "a.pdf", pdf_of("one", "two", "three")))
    assert isinstance(note, Note)
    assert note.text == "one\n\nthree"
    assert broken == Skipped(note.uri, "1 of its 3 pages cannot be read")
