//! A merge patch (RFC 7396) may name any part of what is there: within one, no member of an object is a must. Bodies of
//! posts are, so patches get schemas of their own.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::path::PathItem;
use utoipa::openapi::{Components, Paths, Ref, RefOr, Schema};

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// The media type of merge patches.
const MERGE_PATCH: &str = "application/merge-patch+json";
const SCHEMAS: &str = "#/components/schemas/";

/// Gives the objects in merge patches schemas without musts, beside those that they have in posts.
pub(super) fn add(paths: &Paths, components: &mut Components) {
    let schemas = &mut components.schemas;
    // Each once: a neighbor and a coordinator may send the same.
    let names: BTreeSet<String> = paths.paths.values().filter_map(patch_of).collect();
    for name in names {
        if let Some(RefOr::T(mut schema)) = schemas.get(&name).cloned() {
            loosen(&mut schema, schemas);
            schemas.insert(name, RefOr::T(schema));
        }
    }
}

/// The name of what a path takes as a merge patch.
fn patch_of(item: &PathItem) -> Option<String> {
    let Some(RefOr::T(body)) = &item.patch.as_ref()?.request_body else {
        return None;
    };
    match body.content.get(MERGE_PATCH)? {
        RefOr::T(content) => match content.schema.as_ref()? {
            RefOr::Ref(to) => name_of(to),
            RefOr::T(_) => None,
        },
        RefOr::Ref(_) => None,
    }
}

fn name_of(to: &Ref) -> Option<String> {
    to.ref_location.strip_prefix(SCHEMAS).map(str::to_owned)
}

/// Takes the musts away from an object and from those in it. Lists are replaced as a whole: what is in them stays.
fn loosen(schema: &mut Schema, schemas: &mut Schemas) {
    match schema {
        Schema::Object(object) => {
            object.required.clear();
            for property in object.properties.values_mut() {
                refer(property, schemas);
            }
        }
        Schema::OneOf(choice) => choice
            .items
            .iter_mut()
            .for_each(|item| refer(item, schemas)),
        _ => {}
    }
}

fn refer(schema: &mut RefOr<Schema>, schemas: &mut Schemas) {
    match schema {
        RefOr::T(schema) => loosen(schema, schemas),
        RefOr::Ref(to) => {
            let Some(name) = name_of(to) else {
                return;
            };
            // Words are no objects, and stay.
            let Some(RefOr::T(Schema::Object(object))) = schemas.get(&name) else {
                return;
            };
            if object.properties.is_empty() {
                return;
            }
            let mut loose = Schema::Object(object.clone());
            loosen(&mut loose, schemas);
            schemas.insert(format!("{name}Patch"), RefOr::T(loose));
            to.ref_location += "Patch";
        }
    }
}
