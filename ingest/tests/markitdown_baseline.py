"""Writes what markitdown makes of every document in a folder, for `formats.rs`.

    python3 -m venv VENV && VENV/bin/pip install 'markitdown[all]'
    VENV/bin/python markitdown_baseline.py "$LECTERN_TEST_DATA/formats" markitdown.json
    LECTERN_TEST_MARKITDOWN=$PWD/markitdown.json cargo test --release -p lectern-ingest --test formats

The file is an object: the path of each document below the folder, and its Markdown, empty where markitdown fails.
"""

import json
import pathlib
import sys
import warnings

from markitdown import MarkItDown

NO_DOCUMENTS = {"LICENSE", "README.md", "files.json", "expected_strings.json"}


def documents(folder):
    for path in sorted(folder.rglob("*")):
        parts = set(path.relative_to(folder).parts[:-1])
        if not path.is_file() or parts & {"groundtruth", "expected_outputs"}:
            continue
        if path.name not in NO_DOCUMENTS and not path.name.startswith("requirements."):
            yield path


def main(folder, output):
    warnings.simplefilter("ignore")
    converter = MarkItDown(enable_plugins=False)
    texts = {}
    for path in documents(folder):
        name = path.relative_to(folder).as_posix()
        try:
            texts[name] = converter.convert(str(path)).text_content or ""
        except Exception as error:  # whatever a converter raises is that document's failure
            texts[name] = ""
            print(f"{name}: {type(error).__name__}: {str(error)[:120]!r}", file=sys.stderr)
    output.write_text(json.dumps(texts, ensure_ascii=False))
    print(f"{len(texts)} documents, {sum(1 for text in texts.values() if not text)} without text")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
