//! The direction of dependencies, as the crate's documentation states it.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use of the crate. `settings` is plain data at the bottom, like `domain`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("disk", &[]),
    ("crypto", &["domain", "disk"]),
    ("settings", &["domain", "storage"]),
    ("telemetry", &["settings"]),
    ("storage", &["domain", "crypto", "disk"]),
    ("matching", &["domain", "settings"]),
    ("mail", &["domain", "crypto", "settings", "disk"]),
    ("webhook", &["domain", "settings"]),
    (
        "actions",
        &[
            "domain", "crypto", "settings", "storage", "matching", "mail",
        ],
    ),
    ("bodies", &["domain", "settings", "actions"]),
    (
        "sheets",
        &[
            "domain", "crypto", "settings", "storage", "actions", "bodies",
        ],
    ),
    (
        "workers",
        &[
            "domain", "crypto", "settings", "storage", "matching", "mail", "webhook", "actions",
        ],
    ),
    (
        "http",
        &[
            "domain",
            "crypto",
            "settings",
            "storage",
            "mail",
            "actions",
            "bodies",
            "sheets",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "domain",
            "crypto",
            "settings",
            "storage",
            "matching",
            "mail",
            "actions",
            "workers",
            "http",
            "telemetry",
        ],
    ),
];

/// Where a library may be used, beside which nothing else may.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("diesel", &["storage"]),
    ("diesel_migrations", &["storage"]),
    ("actix_web", &["http", "app"]),
    ("lettre", &["mail"]),
    ("ureq", &["webhook"]),
    ("rstar", &["matching"]),
    ("clap", &["cli"]),
    ("csv", &["sheets"]),
    ("encoding_rs", &["sheets"]),
];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        // Tests inside the crate may look everywhere.
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// The module of `src` that a file belongs to, and its lines without comments.
fn modules() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for path in sources(&src) {
        let first = path
            .strip_prefix(&src)
            .unwrap()
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_owned();
        let module = first.to_string_lossy().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text
            .lines()
            .filter(|l| !l.trim_start().starts_with("//"))
            .collect();
        modules
            .entry(module)
            .or_default()
            .push((path, code.join("\n")));
    }
    modules
}

/// The names that follow `prefix` in the code: of `crate::` or as a crate's path.
fn names_after<'t>(code: &'t str, prefix: &str) -> Vec<&'t str> {
    code.match_indices(prefix)
        .map(|(at, _)| {
            let rest = &code[at + prefix.len()..];
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let modules = modules();
    for (module, allowed) in MAY_USE {
        for (path, code) in modules.get(*module).into_iter().flatten() {
            for used in names_after(code, "crate::") {
                let is_module = modules.contains_key(used);
                assert!(
                    !is_module || used == *module || allowed.contains(&used),
                    "{} uses {used}, which {module} may not",
                    path.display()
                );
            }
        }
    }
    for module in modules.keys() {
        let known = MAY_USE.iter().any(|(m, _)| m == module)
            || ["main", "lib", "cli"].contains(&module.as_str());
        assert!(known, "the rule says nothing of the module {module}");
    }
}

#[test]
fn libraries_stay_in_their_modules() {
    for (library, allowed) in ONLY_IN {
        for (module, files) in modules() {
            if allowed.contains(&module.as_str()) {
                continue;
            }
            for (path, code) in files {
                let uses = code.contains(&format!("use {library}::"))
                    || code.match_indices(&format!("{library}::")).any(|(at, _)| {
                        !code[..at].ends_with(|c: char| {
                            c.is_ascii_alphanumeric()
                                || c == '_'
                                || c == ':'
                                || c == '"'
                                || c == ','
                        })
                    });
                assert!(!uses, "{} uses {library}", path.display());
            }
        }
    }
}

#[test]
fn only_the_writer_opens_transactions() {
    // The dialect has the one in which a town is copied, while nobody serves either database.
    let allowed = ["storage/writer.rs", "storage/dialect.rs"];
    for (path, code) in modules().into_values().flatten() {
        let opens = code.contains(".transaction(")
            || code.contains("immediate_transaction")
            || code.contains("BEGIN IMMEDIATE");
        assert!(
            !opens || allowed.iter().any(|file| path.ends_with(file)),
            "{}",
            path.display()
        );
    }
}
