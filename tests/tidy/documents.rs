//! The documents say what the code does.

use std::fmt::Write;

use imgen::config::env_vars::ENV_VARS;

use super::{root, sources};

/// The table of `docs/configuration.md`, from the code's own.
fn table() -> String {
    let mut text = String::from("| variable | in the file | default | meaning |\n|---|---|---|---|\n");
    for var in ENV_VARS {
        let default = if var.default.is_empty() { "none".to_owned() } else { format!("`{}`", var.default) };
        writeln!(
            text,
            "| `{}` | `[{}] {}` | {default} | {} |",
            var.name, var.section, var.field, var.meaning
        )
        .unwrap();
    }
    text
}

#[test]
fn the_configuration_table_is_the_codes_own() {
    let document = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    assert!(document.contains(&table()), "docs/configuration.md should hold this table:\n{}", table());
}

#[test]
fn the_readme_names_every_variable_that_most_people_set() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for name in ["IMGEN_LISTEN", "IMGEN_DATA_DIR", "IMGEN_API_KEY", "IMGEN_S3_ENDPOINT", "IMGEN_DEVICE"] {
        assert!(readme.contains(name), "README.md should name {name}");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = sources("docs", "md");
    documents.extend(sources("src", "md"));
    documents.push(("README.md".into(), std::fs::read_to_string(root().join("README.md")).unwrap()));
    let mut dead = Vec::new();
    for (path, text) in documents {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("crate::") {
                continue;
            }
            if !folder.join(target).exists() {
                dead.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}
