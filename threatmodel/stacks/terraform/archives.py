"""Archives of functions whose files are texts in the configuration, as `archive_file` makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.terraform.file import at
from threatmodel.stacks.terraform.references import Instance, sequence, table
from threatmodel.stacks.values import Node, Scalar, Table, get, text


def archives(file: str, instances: Iterable[Instance]) -> Iterator[tuple[str, Table]]:
    """Yield the paths of archives that are made of texts alone, each with these texts by the names of their files."""
    for one in instances:
        values = table(one.values)
        path, folder = values.get("output_path"), values.get("source_dir") or values.get("source_file")
        if one.type != "archive_file" or folder or one.sensitive or not isinstance(path, str):
            continue
        place = at(file, one.address)
        sources = [table(each) for each in sequence(values.get("source"))]
        sources.append({"filename": values.get("source_content_filename"), "content": values.get("source_content")})
        texts = {each.get("filename"): each.get("content") for each in sources if each.get("filename") is not None}
        entries: dict[str, Node] = {
            name: Scalar(content, place)
            for name, content in texts.items()
            if isinstance(name, str) and isinstance(content, str)
        }
        if entries and len(entries) == len(texts):
            yield path, Table(entries, place)


def with_archives(resources: dict[str, Resource], found: Mapping[str, Table]) -> None:
    """Add the files of an archive to the functions that are deployed from it."""
    for name, one in resources.items():
        code = one.properties.entries.get("Code")
        archive = found.get(text(get(code, "filename")) or "")
        if archive is not None and isinstance(code, Table):
            packed = code._replace(entries={**code.entries, "archive": archive})
            properties = one.properties._replace(entries={**one.properties.entries, "Code": packed})
            resources[name] = replace(one, properties=properties)
