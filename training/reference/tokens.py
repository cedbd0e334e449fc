"""Golden token ids: tests/golden/tokens.json and tests/golden/small_tokenizer/tokenizer.json; the entity table in assets/."""

import html.entities
import shutil

from golden import GOLDEN, clip_tokenizer, write_json, write_versions

TEXTS = [
    "",
    " ",
    "\n\t ",
    "hello world",
    "A photo of a dog.",
    "a  photo\tof\na\r\ndog ",
    "THE QUICK BROWN FOX",
    "it's the dogs' owner's ball, isn't it? I'll say they've won; he'd know I'm right, you're",
    "IT'S WE'LL I'D",
    "‘single’ and “double” curly quotes, don’t",
    "ﬁne ﬂuﬀy aﬃx",
    "ＦＵＬＬ ｗｉｄｔｈ　１２３",
    "1234567890 3.14 1,000 2nd",
    "x²+y³=½ ①②③ Ⅳ ٣٤",
    "!!! ... ?!?! --- *** ((())) ~~~",
    "#hashtag @user http://example.com/a_b?c=d&e=f",
    "snake_case CamelCase kebab-case",
    "emoji 😀😃 👩‍👩‍👧‍👦 🇫🇷 👍🏽 ❤️",
    "naïve café résumé Zürich Ærøskøbing",
    "e\u0301 combining a\u0308 o\u0302",
    "Ελληνικά ΟΔΟΣ Σίσυφος",
    "русский текст Ёлка",
    "日本語のテキスト 中文 한국어",
    "עברית العربية हिन्दी ไทย",
    "İstanbul ISPARTA ı ß ẞ ŉ ǆ",
    "Tom &amp; Jerry &lt;3 &quot;cheese&quot; &copy; 2020",
    "&amp;amp; &amp;amp;amp; &#39;quoted&#39; &#x27;hex&#x27;",
    "R&B, AT&T, &ampersand &notit &nbsp;x&nbsp y &hellip;",
    "P&EACUTE;REZ &Eacute; &eacute &#233; &#233",
    "<b>bold</b> &amp; <i>it</i> &rsquo;s",
    "5 < 6 &gt; 4 > 3 &lt;",
    "first &amp; line\nsecond < line &rsquo; &amp;\nthird &amp; line ’",
    "sÃ£o paulo cafÃ© jalapeÃ±o",
    "donâ€™t stop â€œnowâ€\x9d",
    "Ã la mode",
    "voilÃ le travail",
    "âœ” No problems",
    "ÄŒeÅ¡tina",
    "Ð±ÑŠÐ»Ð³Ð°Ñ€",
    "Ð¿Ñ€Ð¸Ð²ÐµÑ‚",
    "æ—¥æœ¬èªž",
    "the price is 5â‚¬ and 3Â£",
    "ï»¿byte order mark",
    "\ufeffmark and \u200bzero\u200d width\u2060",
    "soft\u00adhyphen nb\u00a0space thin\u2009space ideographic\u3000space line\u2028sep",
    "control \x00\x01\x07 chars \x7f and \x1b[31mcolour\x1b[0m",
    "c1 \x85next \x91quoted\x92",
    "tab\x0bvertical\x0cform\x1cfile\x1funit",
    "<|startoftext|> in the middle <|endoftext|> of a caption",
    "<start_of_text> open clip's <end_of_text> names",
    "a<end_of_text>b ,<END_OF_TEXT>",
    "supercalifragilisticexpialidocious antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "a" * 300,
    "word " * 100,
    "one two three four five six seven eight nine ten " * 8,
    ("lorem ipsum, " * 30) + "end",
    "😀" * 60,
    "a photo of a {}, a type of pet.",
    "C:\\path\\to\\file.txt $5.00 50% off 1/2 a+b=c",
    "'s 't 're 've 'm 'll 'd ''s '' '",
    "ſtreet 'ſ K kelvin",
    "ﷺ ℵ ™ ® © № ℃ Å Å",
    "𝒥ohn 𝐛𝐨𝐥𝐝 ｶﾞ ﾊﾟ ﾖﾝ",
    "A\u030a and \u1100\u1161\u11a8 hangul",
    "quote \u201a\u201e\u2039\u203a «» `grave` ´acute´ ″prime″",
    "dash – — ― − ‐ ‑",
]


def unpadded(row, end):
    """The row up to its last end token; what follows is padding."""
    row = list(row)
    return row[: len(row) - row[::-1].index(end)]


def open_clip_rows(context):
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer(context_length=context)
    return [unpadded(row, tokenizer.eot_token_id) for row in tokenizer(TEXTS).tolist()]


def transformers_rows(tokenizer, context):
    return tokenizer(TEXTS, truncation=True, max_length=context)["input_ids"]


def write_entities():
    path = GOLDEN.parents[1] / "assets" / "html5_entities.txt"
    lines = (f"{name}\t{' '.join(f'{ord(c):x}' for c in text)}\n" for name, text in sorted(html.entities.html5.items()))
    path.write_text("".join(lines))


if __name__ == "__main__":
    folder = GOLDEN / "small_tokenizer"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    small = clip_tokenizer(1000)
    small.backend_tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    golden = {
        "texts": TEXTS,
        "openai_77": open_clip_rows(77),
        "openai_64": open_clip_rows(64),
        "small_77": transformers_rows(small, 77),
        "small_16": transformers_rows(small, 16),
    }
    write_json(GOLDEN / "tokens.json", golden)
    write_entities()
    write_versions()
