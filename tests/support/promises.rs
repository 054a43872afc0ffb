//! What is promised adds up, at every instant: asked of a PostgreSQL database in plain SQL, behind everybody's
//! back. Each query gives a `line` for every row of which it does not hold, in one statement, which sees one
//! instant.

/// What holds, and how to find what is wrong.
pub const PROMISES: &[(&str, &str)] = &[
    (
        "what is covered of a request is what its matches have taken",
        "SELECT r.id::text AS line FROM requests r WHERE covered <> (SELECT coalesce(sum(taken), 0)
            FROM matches m WHERE m.request_id = r.id AND m.state IN ('accepted', 'fulfilled'))",
    ),
    (
        "a request is covered by no more than it needs, and if and only if nothing is needed any more",
        "SELECT id::text AS line FROM requests WHERE covered < 0 OR covered > quantity
            OR (state = 'covered' AND covered < quantity) OR (state = 'open' AND covered >= quantity)",
    ),
    (
        // A period that is over keeps the capacity that it had: there is one alone of what does not renew.
        "no more is taken of an offer in any period than it has",
        "SELECT c.offer_id || ' ' || c.period_start AS line FROM offer_capacity c
            JOIN offers o ON o.id = c.offer_id
            WHERE c.taken < 0 OR c.taken > c.capacity OR (o.renews = 'none' AND c.capacity <> o.capacity)",
    ),
    (
        // A place that returns (`place_returns` in config/categories.toml) is held until somebody says that the help was given.
        "what is taken of an offer in each period is what its matches hold in it",
        "SELECT offer_id || ' ' || period || ' ' || coalesce(taken, 0) || ' ' || coalesce(held, 0) AS line
            FROM (SELECT offer_id, period_start AS period, taken FROM offer_capacity) AS c
            FULL JOIN (
                SELECT m.offer_id, p.period, sum(m.taken) AS held FROM matches m
                JOIN offers o ON o.id = m.offer_id
                CROSS JOIN LATERAL (
                    SELECT m.period_start AS period UNION ALL
                    SELECT further::timestamptz FROM jsonb_array_elements_text(m.further_periods) AS further
                ) AS p
                WHERE m.state IN ('accepted', 'fulfilled') AND m.returned_at IS NULL
                GROUP BY m.offer_id, p.period
            ) AS h USING (offer_id, period)
            WHERE coalesce(taken, 0) <> coalesce(held, 0)",
    ),
    (
        "a place is free again when the help was given, in the categories whose places return, and in no other",
        "SELECT m.id::text AS line FROM matches m JOIN offers o ON o.id = m.offer_id
            WHERE m.state IN ('accepted', 'fulfilled') AND (m.returned_at IS NOT NULL)
                <> ((m.state = 'fulfilled' OR m.done_at IS NOT NULL) AND o.category IN
                    ('warming_space', 'shelter', 'childcare', 'pet_care', 'cleanup'))",
    ),
    (
        "a pair has one active match at most",
        "SELECT request_id::text AS line FROM matches WHERE state IN ('proposed', 'notified', 'accepted')
            GROUP BY request_id, offer_id HAVING count(*) > 1",
    ),
    (
        "a release is audited once",
        // And once more whenever a done is taken back.
        "SELECT m.id::text AS line FROM matches m WHERE (m.released_at IS NOT NULL)::int
            + (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'match_done_undone')
            <> (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'contacts_released')",
    ),
];
