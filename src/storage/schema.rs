//! The columns of every table, kept by hand: one description for all backends.

#![expect(missing_docs, reason = "the columns are described in the migrations")]

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    meta (key) {
        key -> Text,
        value -> Binary,
    }
}

table! {
    use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    coordinators (id) {
        id -> Id,
        scope -> Text,
        created_at -> Instant,
        revoked_at -> Nullable<Instant>,
        group_id -> Nullable<Id>,
        sealed -> Binary,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
        digest -> Bool,
        digest_on -> Nullable<Text>,
        part -> Nullable<JsonText>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    neighbors (id) {
        id -> Id,
        cell -> BigInt,
        email_hash -> Nullable<Binary>,
        phone_hash -> Nullable<Binary>,
        verified -> Text,
        languages -> JsonText,
        locale -> Text,
        agree_first -> Bool,
        entered_by -> Nullable<Id>,
        mail_stopped_at -> Nullable<Instant>,
        erased_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        group_id -> Nullable<Id>,
        sealed -> Nullable<Binary>,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
        imported -> Bool,
        caller_email_hash -> Nullable<Binary>,
        caller_phone_hash -> Nullable<Binary>,
        blocked_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    requests (id) {
        id -> Id,
        neighbor_id -> Id,
        series_id -> Nullable<Id>,
        category -> Text,
        quantity -> Integer,
        covered -> Integer,
        splittable -> Bool,
        max_helpers -> Integer,
        urgency -> Text,
        travel_m -> Integer,
        handover -> Text,
        language_must -> Bool,
        needed_from -> Instant,
        needed_until -> Instant,
        requires -> JsonText,
        cell -> BigInt,
        state -> Text,
        held_by -> Nullable<Text>,
        close_reason -> Nullable<Text>,
        closed_at -> Nullable<Instant>,
        attention -> Nullable<Text>,
        version -> Integer,
        wave -> Integer,
        next_wave_at -> Nullable<Instant>,
        match_due_at -> Nullable<Instant>,
        lease_id -> Nullable<Id>,
        lease_until -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        sealed -> Nullable<Binary>,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
        throughout -> Bool,
        merged_into -> Nullable<Id>,
        import_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    volunteers (id) {
        id -> Id,
        email_hash -> Nullable<Binary>,
        phone_hash -> Nullable<Binary>,
        confirmed_at -> Nullable<Instant>,
        vetted_until -> Nullable<Instant>,
        blocked_at -> Nullable<Instant>,
        paused_at -> Nullable<Instant>,
        mail_stopped_at -> Nullable<Instant>,
        erased_at -> Nullable<Instant>,
        last_asked_at -> Nullable<Instant>,
        languages -> JsonText,
        locale -> Text,
        limits -> JsonText,
        created_at -> Instant,
        updated_at -> Instant,
        group_id -> Nullable<Id>,
        sealed -> Nullable<Binary>,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
        imported -> Bool,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    offers (id) {
        id -> Id,
        volunteer_id -> Id,
        category -> Text,
        capacity -> Integer,
        renews -> Text,
        reach_m -> Integer,
        available_from -> Nullable<Instant>,
        available_until -> Nullable<Instant>,
        opening_hours -> Nullable<Text>,
        timezone -> Text,
        provides -> JsonText,
        is_site -> Bool,
        cell -> BigInt,
        state -> Text,
        closed_at -> Nullable<Instant>,
        expires_at -> Instant,
        match_due_at -> Nullable<Instant>,
        lease_id -> Nullable<Id>,
        lease_until -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        sealed -> Nullable<Binary>,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
        lead_minutes -> Integer,
        import_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::Integer;
    use crate::storage::sql_types::{Id, Instant};
    offer_capacity (offer_id, period_start) {
        offer_id -> Id,
        period_start -> Instant,
        capacity -> Integer,
        taken -> Integer,
    }
}

table! {
    use diesel::sql_types::{Bool, Double, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant};
    sites (offer_id) {
        offer_id -> Id,
        title -> Text,
        address -> Text,
        lat -> Double,
        lon -> Double,
        walk_in -> Bool,
        listed_at -> Instant,
        taken -> Nullable<Integer>,
        counted_at -> Nullable<Instant>,
        counts_until -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::{Bool, Double, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    matches (id) {
        id -> Id,
        request_id -> Id,
        offer_id -> Id,
        quantity -> Integer,
        taken -> Integer,
        period_start -> Instant,
        state -> Text,
        decline_reason -> Nullable<Text>,
        fall_reason -> Nullable<Text>,
        agreement -> Text,
        agree_by -> Nullable<Instant>,
        band -> Text,
        score -> Double,
        parts -> JsonText,
        wave -> Integer,
        request_version -> Integer,
        by_hand -> Bool,
        max_wait_at -> Nullable<Instant>,
        asked_at -> Nullable<Instant>,
        respond_by -> Nullable<Instant>,
        answered_at -> Nullable<Instant>,
        arrival_at -> Nullable<Instant>,
        released_at -> Nullable<Instant>,
        done_by -> Nullable<Text>,
        ended_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        further_periods -> JsonText,
        veto_undone_at -> Nullable<Instant>,
        done_at -> Nullable<Instant>,
        followed_up_at -> Nullable<Instant>,
        no_show_by -> Nullable<Text>,
        returned_at -> Nullable<Instant>,
        remind_at -> Nullable<Instant>,
        no_show_undone_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::Binary;
    use crate::storage::sql_types::Instant;
    blocks (pair_hash) {
        pair_hash -> Binary,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant};
    letters (id) {
        id -> Id,
        kind -> Text,
        to_kind -> Text,
        to_id -> Id,
        request_id -> Nullable<Id>,
        match_id -> Nullable<Id>,
        priority -> Integer,
        state -> Text,
        due_at -> Instant,
        attempts -> Integer,
        lease_id -> Nullable<Id>,
        lease_until -> Nullable<Instant>,
        last_error -> Nullable<Text>,
        settled_at -> Nullable<Instant>,
        created_at -> Instant,
        unconfirmed -> Bool,
        retried_at -> Nullable<Instant>,
        event -> Nullable<Text>,
        event_id -> Nullable<Id>,
        event_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::{Binary, Nullable};
    use crate::storage::sql_types::{Id, Instant};
    departures (letter_id) {
        letter_id -> Id,
        at -> Instant,
        address_hash -> Nullable<Binary>,
    }
}

table! {
    use diesel::sql_types::{Binary, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant};
    tokens (hash) {
        hash -> Binary,
        purpose -> Text,
        subject_id -> Id,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        address_hash -> Nullable<Binary>,
        uses_left -> Nullable<Integer>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::storage::sql_types::{Id, Instant};
    changes (seq) {
        seq -> BigInt,
        entity -> Text,
        entity_id -> Id,
        at -> Instant,
        mark -> BigInt,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    audit (seq) {
        seq -> BigInt,
        at -> Instant,
        actor -> Text,
        actor_id -> Nullable<Id>,
        action -> Text,
        subject -> Text,
        subject_id -> Id,
        detail -> JsonText,
    }
}

table! {
    use diesel::sql_types::Binary;
    use crate::storage::sql_types::{Id, Instant};
    idempotency (key_hash) {
        key_hash -> Binary,
        body_hash -> Binary,
        subject_id -> Id,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::{Binary, Integer, Nullable};
    use crate::storage::sql_types::Instant;
    key_epochs (epoch) {
        epoch -> Integer,
        key_check -> Nullable<Binary>,
        added_at -> Instant,
        activated_at -> Nullable<Instant>,
        retired_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable};
    use crate::storage::sql_types::{Id, Instant};
    instances (id) {
        id -> Id,
        started_at -> Instant,
        seen_at -> Instant,
        newest_epoch -> Nullable<Integer>,
        active_epoch -> Nullable<Integer>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::storage::sql_types::Instant;
    statistics (day, category, close_reason) {
        day -> Instant,
        category -> Text,
        close_reason -> Text,
        requests -> BigInt,
        quantity -> BigInt,
        covered -> BigInt,
    }
}

table! {
    use diesel::sql_types::Nullable;
    use crate::storage::sql_types::{Id, Instant, JsonText};
    rounds (request_id) {
        request_id -> Id,
        seen -> Nullable<JsonText>,
        covered_at -> Nullable<Instant>,
    }
}

joinable!(requests -> neighbors (neighbor_id));
joinable!(offers -> volunteers (volunteer_id));
joinable!(sites -> offers (offer_id));
joinable!(rounds -> requests (request_id));
joinable!(offer_capacity -> offers (offer_id));
joinable!(matches -> requests (request_id));
joinable!(matches -> offers (offer_id));

allow_tables_to_appear_in_same_query!(
    neighbors,
    requests,
    volunteers,
    offers,
    offer_capacity,
    sites,
    matches,
    letters,
    rounds,
    tasks,
    reports,
    imported_rows,
);
allow_tables_to_appear_in_same_query!(imports, import_parts);

table! {
    use diesel::sql_types::{BigInt, Binary};
    audit_chain (number) {
        number -> BigInt,
        seq -> BigInt,
        hash -> Binary,
    }
}

table! {
    use diesel::sql_types::{Binary, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant};
    reports (id) {
        id -> Id,
        match_id -> Id,
        request_id -> Id,
        neighbor_id -> Id,
        volunteer_id -> Id,
        reported_by -> Text,
        about -> Text,
        problem -> Text,
        created_at -> Instant,
        closed_at -> Nullable<Instant>,
        closed_by -> Nullable<Id>,
        erase_at -> Instant,
        sealed -> Nullable<Binary>,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
    }
}

table! {
    use diesel::sql_types::{Binary, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant};
    tasks (id) {
        id -> Id,
        kind -> Text,
        request_id -> Nullable<Id>,
        neighbor_id -> Nullable<Id>,
        created_at -> Instant,
        due_at -> Instant,
        claimed_by -> Nullable<Id>,
        claimed_at -> Nullable<Instant>,
        done_at -> Nullable<Instant>,
        done_by -> Nullable<Id>,
        outcome -> Nullable<Text>,
        match_id -> Nullable<Id>,
        offer_id -> Nullable<Id>,
        volunteer_id -> Nullable<Id>,
        report_id -> Nullable<Id>,
        letter_id -> Nullable<Id>,
        about -> Nullable<Text>,
        assigned_by -> Nullable<Id>,
        escalated_at -> Nullable<Instant>,
        sealed -> Nullable<Binary>,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
        attempts -> Integer,
        tried_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant};
    areas (id) {
        id -> Id,
        cell -> BigInt,
        radius_m -> Integer,
        reason -> Text,
        created_at -> Instant,
        created_by -> Id,
        lifted_at -> Nullable<Instant>,
        lifted_by -> Nullable<Id>,
        settling -> Nullable<Text>,
        settled_to -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    plans (id) {
        id -> Id,
        category -> Nullable<Text>,
        area -> Nullable<BigInt>,
        exact -> Bool,
        bound -> BigInt,
        figures -> JsonText,
        created_at -> Instant,
        created_by -> Id,
        ready_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant};
    plan_pairs (id) {
        id -> Id,
        plan_id -> Id,
        request_id -> Id,
        offer_id -> Id,
        position -> Integer,
        request_version -> Integer,
        quantity -> Integer,
        distance_m -> BigInt,
        state -> Text,
        reason -> Nullable<Text>,
        match_id -> Nullable<Id>,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::{Binary, Nullable};
    use crate::storage::sql_types::{Id, Instant};
    imported_rows (row_hash) {
        row_hash -> Binary,
        content_hash -> Binary,
        subject_id -> Id,
        created_at -> Instant,
        import_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    imports (id) {
        id -> Id,
        kind -> Text,
        state -> Text,
        dry_run -> Bool,
        tally -> JsonText,
        created_by -> Nullable<Id>,
        created_at -> Instant,
        updated_at -> Instant,
        undone -> Nullable<JsonText>,
        undone_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::BigInt;
    use crate::storage::sql_types::{Id, JsonText};
    import_parts (import_id, first_line) {
        import_id -> Id,
        first_line -> BigInt,
        report -> JsonText,
    }
}

table! {
    use crate::storage::sql_types::{Id, Instant};
    distinct_requests (request_id, other_id) {
        request_id -> Id,
        other_id -> Id,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::{Binary, Integer, Nullable, Text};
    use crate::storage::sql_types::{Id, Instant, JsonText};
    webhooks (id) {
        id -> Id,
        types -> JsonText,
        disabled_at -> Nullable<Instant>,
        disabled_because -> Nullable<Text>,
        place -> JsonText,
        placed_at -> Instant,
        failures -> Integer,
        failing_since -> Nullable<Instant>,
        last_failure -> Nullable<Text>,
        last_failure_at -> Nullable<Instant>,
        last_success_at -> Nullable<Instant>,
        rest_until -> Nullable<Instant>,
        created_at -> Instant,
        created_by -> Id,
        sealed -> Binary,
        sealed_version -> Integer,
        sealed_epoch -> Nullable<Integer>,
    }
}
