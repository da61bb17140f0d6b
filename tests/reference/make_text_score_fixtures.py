# SPDX-License-Identifier: Apache-2.0
"""Makes tests/core/training/fixtures/text_scores.json: words and F1 of pairs of texts, as transformers' squad_metrics has them.

    python tests/reference/make_text_score_fixtures.py tests/core/training/fixtures/text_scores.json
"""

import json
import sys

from transformers.data.metrics.squad_metrics import compute_f1, get_tokens, normalize_answer

PAIRS = [
    ("the cat sat on the mat", "The cat sat on a mat."),
    ("", ""), ("", "word"), ("the", "a"), ("the", "word"), ("word", ""),
    ("a b b c", "b b b d"), ("one two", "two one"), ("no overlap", "at all"),
    ("An apple-pie, isn't it?", "apple pie isnt it"), ("A.B.C.", "abc"), ("snake_case", "snakecase"),
    ("1,234.50 dollars", "1234.50 Dollars"), ("  spaces\t\tand\nlines  ", "spaces and lines"),
    ("ÉCOLE Straße Ωmega ДОМ", "école straße ωmega дом"), ("naïve the—cat", "naïve cat"),
    ("日本語 テスト", "日本語 テスト"), ("the\u00a0end", "end"), ("emoji 😀 the 😀", "emoji 😀 😀"),
    ("theory an anthem", "theory anthem"), ("a", "a"), ("«the» “an” …a…", "« » “ ” … …"),
]


def main(path):
    cases = [{"made": made, "truth": truth, "words": get_tokens(made), "f1": compute_f1(truth, made)}
             for made, truth in PAIRS]
    assert normalize_answer("The  A.B.") == "ab"
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main(sys.argv[1])
