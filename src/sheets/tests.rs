//! Reading what form tools and people write.

use super::cells::{attribute, flag, point, postal_code, whole};
use super::dates::{AMBIGUOUS, Evidence, When, read};
use super::fields;
use super::guess::guess;
use super::mapping::{DateOrder, Heads, Mapping};
use super::opening::recurrences;
use super::phone;
use super::plan::Plan;
use super::table::{NoTable, Table};
use super::text::NoText;
use crate::domain::attribute::{Attribute, Rule, Values};
use crate::domain::availability::TimeZoneName;
use crate::domain::import::ImportKind;

fn chicago() -> TimeZoneName {
    TimeZoneName::parse("America/Chicago").unwrap()
}

fn at(text: &str, order: Option<DateOrder>) -> String {
    match read(text, order, &chicago()) {
        Ok(When::At(at)) => at.to_string(),
        Ok(When::Day(from, until)) => format!("{from}/{until}"),
        Err(why) => why.to_owned(),
    }
}

#[test]
fn dates_are_read_in_every_style_that_forms_have() {
    let christmas = "2026-12-24T06:00:00Z/2026-12-25T06:00:00Z";
    for text in [
        "2026-12-24",
        "12/24/2026",
        "24.12.2026",
        "24-12-26",
        "Dec 24, 2026",
        "24 de diciembre de 2026",
        "24th December 2026",
        "46380",
    ] {
        assert_eq!(at(text, None), christmas, "{text}");
    }
    let afternoon = "2026-12-24T20:30:00Z";
    for text in [
        "12/24/2026 14:30:00",
        "24.12.2026 14:30",
        "12/24/2026, 2:30 PM",
        "12/24/2026 2:30:00 p. m.",
        "2026-12-24T14:30",
        "2026-12-24T14:30:00.000-06:00",
        "2026-12-24T20:30:00Z",
        "Dec 24, 2026 2:30 PM",
    ] {
        assert_eq!(at(text, None), afternoon, "{text}");
    }
    for text in [
        "tomorrow",
        "31.02.2026",
        "13/13/2026",
        "12/24",
        "25:00",
        "",
        "2026",
    ] {
        assert!(read(text, None, &chicago()).is_err(), "{text}");
    }
}

#[test]
fn a_date_that_may_be_two_is_read_as_the_mapping_or_the_file_says() {
    assert_eq!(at("03/04/2026", None), AMBIGUOUS);
    let april = "2026-04-03T05:00:00Z/2026-04-04T05:00:00Z";
    let march = "2026-03-04T06:00:00Z/2026-03-05T06:00:00Z";
    assert_eq!(at("03/04/2026", Some(DateOrder::Dmy)), april);
    assert_eq!(at("03/04/2026", Some(DateOrder::Mdy)), march);
    let order = |texts: &[&str]| {
        let mut evidence = Evidence::default();
        for text in texts {
            evidence.look(text);
        }
        evidence.order()
    };
    assert_eq!(
        order(&["03/04/2026", "13/04/2026 10:00"]),
        Some(DateOrder::Dmy)
    );
    assert_eq!(order(&["03/04/2026", "04/13/2026"]), Some(DateOrder::Mdy));
    assert_eq!(order(&["03/04/2026", "2026-04-13"]), None);
    assert_eq!(order(&["13/04/2026", "04/13/2026"]), None, "nobody knows");
}

#[test]
fn phones_with_letters_are_read_where_there_is_one_way_to_dial_them() {
    let number = |text: &str| phone::read(text).map(|p| (p.number, p.remark));
    let remark = |text: &str| Some(text.to_owned());
    assert_eq!(number("612-555-HELP"), Ok(("612-555-4357".into(), None)));
    assert_eq!(
        number("1 (612) 555-help"),
        Ok(("1 (612) 555-4357".into(), None))
    );
    assert_eq!(
        number("612 555 0103 ext. 4"),
        Ok(("612 555 0103".into(), remark("ext. 4")))
    );
    assert_eq!(
        number("612-555-0103x4"),
        Ok(("612-555-0103".into(), remark("x4")))
    );
    assert_eq!(
        number("6125550103 (call after 5)"),
        Ok(("6125550103".into(), remark("call after 5")))
    );
    assert_eq!(number("6125550103.0"), Ok(("6125550103".into(), None)));
    assert_eq!(number("6.125550103E+9"), Ok(("6125550103".into(), None)));
    assert!(number("6.13E+9").unwrap_err().contains("rounded"));
    for text in [
        "call me",
        "ask Mo at 5",
        "612-HELP",
        "612-555-HELPME2",
        "HELP",
    ] {
        assert!(number(text).is_err(), "{text}");
    }
}

#[test]
fn cells_say_yes_how_much_and_where() {
    assert_eq!(
        (flag("Yes"), flag("Sí"), flag("no")),
        (Ok(true), Ok(true), Ok(false))
    );
    assert!(flag("maybe").is_err());
    assert_eq!(
        (whole("4"), whole("4 people"), whole("1,200"), whole("4.0")),
        (Ok(4), Ok(4), Ok(1200), Ok(4))
    );
    for text in ["2-3", "4 adults, 2 kids", "four", "", "1,2", "4.5"] {
        assert!(whole(text).is_err(), "{text}");
    }
    assert_eq!(point("44.95 -93.26 0 0"), Ok((44.95, -93.26)));
    assert_eq!(point("44.95,-93.26"), Ok((44.95, -93.26)));
    let known = |code: &str| code == "55407" || code == "AB10 1AA";
    let code = |address| postal_code(address, known);
    assert_eq!(
        code("2410 Example Ave, Minneapolis, MN 55407").as_deref(),
        Some("55407")
    );
    assert_eq!(
        code("1 Example Rd, Aberdeen AB10 1AA").as_deref(),
        Some("AB10 1AA")
    );
    assert_eq!(code("55407 Example Ave"), None, "the number of a house");
}

#[test]
fn attributes_are_what_the_body_of_a_call_would_have() {
    let of = |values| Attribute {
        name: "a".into(),
        title: "A".into(),
        values,
        rule: Rule::Info,
    };
    let diet = of(Values::Set(vec!["halal".into(), "no_pork".into()]));
    let json = |attribute_: &Attribute, text| attribute(Some(attribute_), text).to_string();
    assert_eq!(json(&diet, "Halal, No pork"), r#"["halal","no_pork"]"#);
    assert_eq!(json(&diet, "halal no_pork"), r#"["halal","no_pork"]"#);
    assert_eq!(json(&diet, "no pork"), r#"["no_pork"]"#);
    assert_eq!(json(&of(Values::Bool), "yes"), "true");
    assert_eq!(
        json(&of(Values::Enum(vec!["large".into()])), "LARGE"),
        r#""large""#
    );
}

#[test]
fn rows_stand_on_lines_of_their_own_also_where_a_line_ends_with_cr_alone() {
    let lines = |bytes: &[u8]| {
        let table = Table::read(bytes).unwrap();
        table.rows.iter().map(|row| row.line).collect::<Vec<_>>()
    };
    assert_eq!(lines(b"a,b\r1,2\r3,4\r\r5,6\r"), [2, 3, 5]);
    assert_eq!(lines(b"a,b\r\n1,2\r3,4\r\n"), [2, 3]);
    assert_eq!(lines(b"sep=;\ra;b\r1;2\r"), [3]);
    assert_eq!(lines(b"a,b\r\n\"1\r\n1\",2\r\n3,4\r\n"), [2, 4]);
}

#[test]
fn files_of_all_kinds_are_tables() {
    let read = |bytes: &[u8]| {
        let table = Table::read(bytes).unwrap();
        let cells = table
            .rows
            .iter()
            .map(|r| r.cells.iter().collect::<Vec<_>>().join("~"));
        (
            table.encoding,
            table.delimiter,
            cells.collect::<Vec<_>>().join(" "),
        )
    };
    let plain = b"a,b\n1,2\n";
    assert_eq!(read(plain), ("UTF-8", ',', "1~2".into()));
    assert_eq!(
        read(b"\xef\xbb\xbfa;b\r\n1;2,5\r\n"),
        ("UTF-8", ';', "1~2,5".into())
    );
    assert_eq!(read(b"sep=;\r\na;b\r\n1;2\r\n").2, "1~2");
    assert_eq!(
        read(b"a\tb\n\"1\n1\"\t2\n"),
        ("UTF-8", '\t', "1\n1~2".into())
    );
    assert_eq!(read(b"a|b\n1|2"), ("UTF-8", '|', "1~2".into()));
    assert_eq!(
        read(b"a,b\n\x93x\x94,2\n"),
        ("windows-1252", ',', "“x”~2".into())
    );
    let utf16: Vec<u8> = "\u{feff}a,b\nñ,2\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(&utf16), ("UTF-16LE", ',', "ñ~2".into()));
    assert_eq!(
        Table::read(b"PK\x03\x04xl").unwrap_err(),
        NoTable::NoText(NoText::Workbook)
    );
    assert_eq!(
        Table::read(b"\0\x01\x02").unwrap_err(),
        NoTable::NoText(NoText::Binary)
    );
    assert_eq!(Table::read(b"\n\n").unwrap_err(), NoTable::Empty);
    let headless = b"Mo,mo@example.org,612 555 0101\nLin,lin@example.org,\n";
    assert_eq!(Table::read(headless).unwrap_err(), NoTable::NoHeads);
}

#[test]
fn a_broken_row_breaks_no_other() {
    let text = "a,b\n1,2\n,\n\n3,\"never closed\n4,5\n6,7,8\n9,10\n";
    let table = Table::read(text.as_bytes()).unwrap();
    let rows: Vec<(u64, usize)> = table.rows.iter().map(|r| (r.line, r.cells.len())).collect();
    assert_eq!(rows, [(2, 2), (5, 1), (6, 2), (7, 3), (8, 2)]);
    // Each of these lines opens a quotation mark.
    let hopeless = format!("a,b\n{}", "x,\"y\n1,2\n".repeat(3001));
    let many = Table::read(hopeless.as_bytes());
    assert!(many.is_err() || many.unwrap().rows.len() > 3000);
}

#[test]
fn well_known_heads_are_mapped_and_the_rest_is_named() {
    let heads = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
    let google = heads(
        "Timestamp|Email Address|First Name|Last name|What is your phone number?|ZIP|What do you need help with?|How many people are in your household?|Notes",
    );
    let mapping = guess(ImportKind::Requests, &google);
    let of = |name: &str| mapping.columns[name].all().join("+");
    assert_eq!(of("name"), "First Name+Last name");
    assert_eq!(of("phone"), "What is your phone number?");
    assert_eq!(of("quantity"), "How many people are in your household?");
    assert_eq!(
        (of("postal_code"), of("private_note")),
        ("ZIP".into(), "Notes".into())
    );
    let plan = Plan::of(ImportKind::Requests, mapping.clone(), &google).unwrap();
    assert_eq!(plan.unmapped, ["Timestamp"]);
    // What is saved says the same.
    assert_eq!(
        Mapping::parse(&mapping.to_toml().unwrap()).unwrap(),
        mapping
    );
    let spanish =
        heads("Nombre|Apellidos|Correo electrónico|Teléfono|Código postal|¿Cuántas personas?");
    let mapping = guess(ImportKind::Requests, &spanish);
    assert_eq!(
        mapping.columns["email"],
        Heads::One("Correo electrónico".into())
    );
    assert_eq!(mapping.columns.len(), 5, "{mapping:?}");
    assert!(fields::find(ImportKind::Offers, "urgency").is_none());
}

#[test]
fn a_wrong_mapping_is_told_with_everything_that_is_wrong() {
    let heads = ["Name".to_owned()];
    let mapping = Mapping::parse("[columns]\nname = \"Nmae\"\nqantity = \"Name\"\n").unwrap();
    let told = Plan::of(ImportKind::Requests, mapping, &heads).unwrap_err();
    assert!(
        told.contains("no column \"Nmae\"") && told.contains("qantity is no field"),
        "{told}"
    );
    let told = Mapping::parse("[columns]\nname = 5\n").unwrap_err();
    assert!(told.starts_with("line 2 of the mapping"), "{told}");
}

#[test]
fn opening_hours_recur_where_they_are_simple() {
    let days = |text: &str| {
        let all = recurrences(text)?.into_iter();
        Some(
            all.map(|r| format!("{} {}-{}", r.by_day, r.opens, r.closes))
                .collect::<Vec<_>>()
                .join("; "),
        )
    };
    assert_eq!(
        days("Mo-We,Sa 08:00-18:00").as_deref(),
        Some("MO,TU,WE,SA 08:00-18:00")
    );
    assert_eq!(
        days("Mo 08:00-10:00,12:00-14:00").as_deref(),
        Some("MO 08:00-10:00; MO 12:00-14:00")
    );
    for text in [
        "Mo-Fr 08:00+",
        "Jan Mo 08:00-10:00",
        "Mo-Fr 08:00-18:00; We off",
        "Mo 1:00-2:00",
    ] {
        assert_eq!(days(text), None, "{text}");
    }
}

#[test]
fn a_time_may_stand_behind_any_character() {
    for text in [
        "5\u{2013}7:30 pm",
        "\u{201c}6:30\u{201d}",
        "\u{4e0b}\u{5348}2:30",
        "\u{1f9e3}7:30",
        ":",
        "\u{e9}:",
    ] {
        assert!(read(text, None, &chicago()).is_err(), "{text}");
        Evidence::default().look(text);
    }
}

#[test]
fn no_number_is_made_longer_than_one_can_dial() {
    for text in [
        "1.23456789E70000",
        "1.23456789E99999999999999999999",
        "1.2e16",
    ] {
        assert!(phone::read(text).is_err(), "{text}");
    }
}

proptest::proptest! {
    /// Cells are written by strangers: whatever stands in one, it is read or refused.
    #[test]
    fn no_cell_breaks_a_reader(
        text in "[0-9EeT:.,+/ \u{2013}\u{e9}apmZxk#-]{0,24}|\\PC{0,24}",
        order in proptest::option::of(proptest::sample::select(vec![DateOrder::Dmy, DateOrder::Mdy])),
    ) {
        let _ = read(&text, order, &chicago());
        Evidence::default().look(&text);
        let _ = phone::read(&text);
        let _ = (whole(&text), flag(&text), point(&text), postal_code(&text, |_| true));
        let _ = recurrences(&text);
    }
}

#[test]
fn a_file_of_nothing_but_columns_is_refused() {
    let wide = [b"Name".as_slice(), &[b','; 1_000]].concat();
    assert!(matches!(Table::read(&wide), Err(NoTable::TooWide)));
    assert!(Table::read(&wide[..900]).is_ok());
}
