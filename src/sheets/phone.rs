//! Phone numbers as people type them into a form: with an extension, with a word on the keys, with a remark
//! behind them, or as a spreadsheet has mangled them.

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// The number, in digits.
    pub number: String,
    /// What stands behind it: "ext. 4", "call after 5".
    pub remark: Option<String>,
    /// Whether letters were read as keys.
    pub by_keys: bool,
}

/// The digits of a number that can be dialled.
const DIALLED: std::ops::RangeInclusive<usize> = 7..=15;

/// Reads a cell. What holds no letters is given back as it is.
///
/// # Errors
/// What was expected.
pub fn read(text: &str) -> Result<Phone, &'static str> {
    const LETTERS: &str = "has letters that are no part of a number; a number in digits is needed, and anything else belongs in the field `other`";
    let plain = |number: String| Phone {
        number,
        remark: None,
        by_keys: false,
    };
    if let Some(number) = unmangled(text)? {
        return Ok(plain(number));
    }
    let Some(first) = text.find(char::is_alphabetic) else {
        return Ok(plain(text.to_owned()));
    };
    if let Some(phone) = on_keys(text) {
        return Ok(phone);
    }
    let before = digits(&text[..first]);
    if DIALLED.contains(&before) && text[..first].ends_with([' ', ',', ';', '(', '-', '.', '/']) {
        let number = text[..first].trim_end_matches(|c: char| !c.is_ascii_digit());
        let remark = text[number.len()..].trim_matches(|c: char| " ,;()-./".contains(c));
        return Ok(Phone {
            number: number.to_owned(),
            remark: Some(remark.to_owned()),
            by_keys: false,
        });
    }
    if DIALLED.contains(&before) && text[first..].starts_with(['x', 'X', 'e', 'E']) {
        return Ok(Phone {
            number: text[..first].trim().to_owned(),
            remark: Some(text[first..].trim().to_owned()),
            by_keys: false,
        });
    }
    Err(LETTERS)
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// `612-555-HELP`: a number of ten digits, or eleven after a 1, the last four to seven of which are letters
/// in one word.
fn on_keys(text: &str) -> Option<Phone> {
    let first = text.find(|c: char| c.is_ascii_alphabetic())?;
    let word = &text[first..];
    let is_word = (4..=7).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic());
    let is_number = text[..first]
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.() ".contains(c));
    if !is_word || !is_number {
        return None;
    }
    let key = |c: char| match c.to_ascii_uppercase() {
        'A'..='C' => '2',
        'D'..='F' => '3',
        'G'..='I' => '4',
        'J'..='L' => '5',
        'M'..='O' => '6',
        'P'..='S' => '7',
        'T'..='V' => '8',
        _ => '9',
    };
    let number: String = text[..first].chars().chain(word.chars().map(key)).collect();
    let all: String = number.chars().filter(char::is_ascii_digit).collect();
    let is_whole = all.len() == 10 || (all.len() == 11 && all.starts_with('1'));
    is_whole.then_some(Phone {
        number,
        remark: None,
        by_keys: true,
    })
}

/// `6125550123.0` and `6.125550123E+9` are numbers still; `6.13E+9` has lost its digits.
fn unmangled(text: &str) -> Result<Option<String>, &'static str> {
    if let Some(whole) = text.strip_suffix(".0")
        && whole.bytes().all(|b| b.is_ascii_digit())
        && DIALLED.contains(&whole.len())
    {
        return Ok(Some(whole.to_owned()));
    }
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return Ok(None);
    };
    let exponent = exponent.trim_start_matches('+');
    let Some((whole, rest)) = mantissa.split_once(['.', ',']) else {
        return Ok(None);
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 1 || ![whole, rest, exponent].into_iter().all(is_digits) {
        return Ok(None);
    }
    // Zeros are added to as many digits as one can dial, and to no more, however many the cell asks for.
    let exponent = exponent.parse().ok().filter(|e| DIALLED.contains(&(e + 1)));
    match exponent {
        Some(exponent) if rest.len() >= exponent => Ok(Some(format!("{whole}{rest}"))),
        // A number may end in zeros, but not in half of it.
        Some(exponent) if rest.len() + 1 >= 9 => Ok(Some(format!("{whole}{rest:0<exponent$}"))),
        _ => Err("was rounded by the spreadsheet: make the column a text and enter it anew"),
    }
}
