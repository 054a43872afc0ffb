//! What comes from elsewhere: bytes that nobody here has chosen. One file a target; each takes any bytes at all, reads
//! them as the program does, and asserts what must hold of whatever comes of it: no panic, what was read and printed
//! reads the same again, an error says nothing of what was sent.
//!
//! Run as tests, each target is given what lies in `corpus/<target>/`: real examples, what the fuzzer has found to lead
//! somewhere, and whatever once broke something. Run by `tests/fuzz/run`, new bytes are made from these, guided by
//! which lines of the program they reach.
//!
//! To add a target: a file with `pub fn run(bytes: &[u8])`, its name in the list below, and a few examples.
//!
//! Not here, because their bytes are ours or somebody else's: backups (a database, read by SQLite), the rows of a copy
//! (typed columns of our own database), HSDS (written, never read), HTTP itself (read by actix), the conversation with
//! a mail server (read by lettre; what we make of its answers is `replies`).

mod town;

/// What stands in every text of the corpora that is about a person. No error may hold it.
const MARK: &str = "Zq7";

/// An error that is shown to people must not say what they sent.
#[track_caller]
fn says_nothing_of_it(error: impl std::fmt::Display) {
    let said = error.to_string();
    assert!(!said.contains(MARK), "{said}");
}

/// The text in front of the first empty line and the bytes behind it.
fn parted(bytes: &[u8]) -> (String, &[u8]) {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, rest) = match at {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    (String::from_utf8_lossy(head).into_owned(), rest)
}

macro_rules! targets {
    ($($target:ident),+ $(,)?) => {
        $(mod $target;)+

        #[cfg(fuzzing)]
        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($target), $target::run)),+];

        $(
            #[cfg(not(fuzzing))]
            #[test]
            fn $target() {
                replay(stringify!($target), $target::run);
            }
        )+
    };
}

targets!(
    addresses, attributes, calls, categories, contacts, cursors, gazetteer, hours, key_rings,
    mappings, notes, patches, posts, replies, settings, sheets, sources, tokens, words,
);

/// Gives a target all its examples, in the order of their names.
#[cfg(not(fuzzing))]
fn replay(target: &str, run: fn(&[u8])) {
    let dir = format!("{}/tests/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(dir).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 1, "{target} has no examples");
    for file in files {
        eprintln!("{}", file.display());
        run(&std::fs::read(file).unwrap());
    }
}

#[cfg(fuzzing)]
static TARGET: std::sync::LazyLock<fn(&[u8])> = std::sync::LazyLock::new(|| {
    let wanted = std::env::var("MANYHANDS_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(name, _)| *name == wanted);
    found.expect("MANYHANDS_FUZZ_TARGET names a target").1
});

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
