// Texts of cards: cut to a length, quoted safely, numbers and days in words, and the words of tallies.

/** As much of a text as fits into so many bytes of UTF-8, which is what the interface counts; a text that was cut ends in `…`. */
export function cut(text: string, bytesMax: i32): string {
  if (String.UTF8.byteLength(text) <= bytesMax) return text;
  let bytes = 3;
  let end = 0;
  while (end < text.length) {
    const point = text.codePointAt(end);
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > bytesMax) break;
    end += point < 0x10000 ? 1 : 2;
  }
  return text.substring(0, end) + "…";
}

/** What somebody else wrote, between quotation marks and on one line. */
export function quote(text: string): string {
  return "“" + oneLine(text) + "”";
}

/** What somebody else wrote, on one line: control characters, and those that turn the direction of writing, become spaces. */
export function oneLine(text: string): string {
  let plain = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (!isDisruptive(text.charCodeAt(i))) continue;
    plain += text.substring(from, i) + " ";
    from = i + 1;
  }
  return (plain + text.substring(from)).trim();
}

function isDisruptive(unit: i32): bool {
  return (
    unit < 0x20 ||
    (unit >= 0x7f && unit <= 0x9f) ||
    unit == 0x61c ||
    unit == 0x200e ||
    unit == 0x200f ||
    (unit >= 0x2028 && unit <= 0x202e) ||
    (unit >= 0x2066 && unit <= 0x2069)
  );
}

/** A number and what is counted: `1 game`, `12 games`. */
export function counted(number: u64, what: string): string {
  return number.toString() + " " + what + (number == 1 ? "" : "s");
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(parts: string[]): string {
  let text = "";
  for (let i = 0; i < parts.length; i++) {
    if (i > 0) text += i == parts.length - 1 ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

/** The day of a time in unix seconds, UTC: `2026-02-03`. */
export function day(seconds: u64): string {
  let rest = seconds / 86400;
  let year = 1970 + (rest / 146097) * 400;
  rest %= 146097;
  while (rest >= daysOf(year)) {
    rest -= daysOf(year);
    year++;
  }
  const february = daysOf(year) - 337;
  let month: u64 = 1;
  for (; month < 12; month++) {
    const length: u64 = month == 2 ? february : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    if (rest < length) break;
    rest -= length;
  }
  return year.toString() + "-" + twoDigits(month) + "-" + twoDigits(rest + 1);
}

function daysOf(year: u64): u64 {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
}

function twoDigits(number: u64): string {
  return number.toString().padStart(2, "0");
}

/** A text among the words of a tally, or null. Words are an object whose members are texts and booleans, without spaces: less than JSON. */
export function word(words: string | null, name: string): string | null {
  if (words === null) return null;
  const reader = new WordReader(words);
  while (!reader.isAtEnd()) {
    const key = reader.text();
    const value = reader.value();
    if (key == name) return value;
  }
  return null;
}

class WordReader {
  /** Behind the brace or the comma. */
  private at: i32 = 1;

  constructor(private words: string) {}

  isAtEnd(): bool {
    return this.at >= this.words.length || this.words.charCodeAt(this.at) != 0x22;
  }

  /** A member's value; behind it and the comma. */
  value(): string | null {
    // Behind the colon.
    this.at++;
    let value: string | null = null;
    if (!this.isAtEnd()) {
      value = this.text();
    } else {
      const comma = this.words.indexOf(",", this.at);
      this.at = comma < 0 ? this.words.length : comma;
    }
    this.at++;
    return value;
  }

  /** A text between quotation marks; behind it. */
  text(): string {
    let text = "";
    this.at++;
    while (this.at < this.words.length) {
      const unit = this.words.charCodeAt(this.at++);
      if (unit == 0x22) break;
      text += unit == 0x5c ? this.escape() : String.fromCharCode(unit);
    }
    return text;
  }

  private escape(): string {
    const unit = this.words.charCodeAt(this.at++);
    if (unit == 0x75) {
      const digits = this.words.substring(this.at, this.at + 4);
      this.at += 4;
      return String.fromCharCode(<i32>U32.parseInt(digits, 16));
    }
    if (unit == 0x62) return "\b";
    if (unit == 0x66) return "\f";
    if (unit == 0x6e) return "\n";
    if (unit == 0x72) return "\r";
    if (unit == 0x74) return "\t";
    return String.fromCharCode(unit);
  }
}
