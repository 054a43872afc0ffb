//! What coordinators are shown: everything that stands in clear, and nothing that is sealed. Only
//! `revealed` opens what is sealed, and only for a call that has been audited.

pub mod area;
pub mod colleague;
pub mod entry;
pub mod found;
pub mod import;
pub mod letter;
pub mod matched;
pub mod neighbor;
pub mod offer;
pub mod plan;
pub mod report;
pub mod request;
pub mod revealed;
pub mod task;
pub mod volunteer;
pub mod webhook;
pub mod why;
