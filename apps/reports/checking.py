"""Promises about points that reach beyond the ledger's own room: facts, counters of caps, and what rules it names."""

from apps.points.checking import Sweep

# Facts are compared as a whole row each; what differs is told in entries, points and cost, one promise each.
FACTS = Sweep(
    """(SELECT coalesce(fact.id, 0) AS row_id, fact.entries, fact.points, fact.pending_points, fact.cost_micros,
               entry.entries AS found_entries, entry.points AS found_points,
               entry.pending_points AS found_pending_points, entry.cost_micros AS found_cost_micros
        FROM (
            SELECT * FROM reports_dailyfact WHERE (SELECT pg_snapshot_xmax(reports_folded())) > '1'::xid8
        ) fact FULL JOIN (
            SELECT entry.program_id, entry.day, entry.org_unit_id, account.point_type_id,
                   coalesce(entry.rule_id, 0) AS rule_id, entry.kind, count(*) AS entries, sum(entry.points) AS points,
                   sum(entry.pending_points) AS pending_points, sum(entry.cost_micros) AS cost_micros
            FROM points_entry entry JOIN points_account account ON account.id = entry.account_id
            WHERE pg_visible_in_snapshot(entry.transaction, (SELECT reports_folded()))
            GROUP BY 1, 2, 3, 4, 5, 6
        ) entry USING (program_id, day, org_unit_id, point_type_id, rule_id, kind)) AS fact""",
    {
        f"fact_{name}_are_sum_of_entries": (f"coalesce({column}, 0)", f"coalesce(found_{column}, 0)")
        for name, column in (
            ("entries", "entries"),
            ("points", "points"),
            ("pending_points", "pending_points"),
            ("costs", "cost_micros"),
        )
    },
)
# What the versions of a rule that limit it gave a member, a store, a device or all in one local period is what the
# counter says.
COUNTED = """(SELECT coalesce(counter.id, 0) AS row_id, counter.points, entry.points AS given
    FROM COUNTERS counter FULL JOIN (
        SELECT WHOSE AS OWNER, entry.rule_id, limited.period, sum(entry.points + entry.pending_points) AS points,
               CASE WHEN limited.period = 'ever' THEN DATE '0001-01-01'
                    ELSE date_trunc(limited.period, entry.day::timestamp)::date END AS start
        FROM points_entry entry
        JOIN orgs_program program ON program.id = entry.program_id
        MORE
        JOIN (SELECT version.id, written->>'period' AS period, written->>'per' AS per
              FROM rules_ruleversion version, jsonb_array_elements(version.definition->'limits') AS written
              WHERE version.state <> 'draft' GROUP BY 1, 2, 3) limited
            ON limited.id = entry.rule_version_id AND limited.per IN (PER)
        WHERE entry.kind = 'earn'
        GROUP BY 1, 2, 3, 5
    ) entry USING (OWNER, rule_id, period, start)) AS counter"""


MERGED = "(SELECT id, merged_into_id FROM members_member WHERE merged_into_id IS NOT NULL) AS merged"


def _counted(counters: str, owner: str, whose: str, per: str, more: str = "") -> str:
    words = {"COUNTERS": counters, "OWNER": owner, "WHOSE": whose, "PER": per, "MORE": more, "MERGED": MERGED}
    text = COUNTED
    for word, means in words.items():
        text = text.replace(word, means)
    return text


# Of members who are one now, all together: what was counted goes along with a merge, entries stay where they happened.
# Only these are added up: it would take seconds for all.
FAMILIES = "(SELECT id FROM MERGED UNION ALL SELECT merged_into_id FROM MERGED)"
OF_MEMBERS = f"""(SELECT id, member_id, rule_id, period, start, points FROM rules_counter WHERE member_id NOT IN {FAMILIES}
     UNION ALL
     SELECT min(counter.id), coalesce(merged_into_id, member_id), rule_id, period, start, sum(points)
     FROM rules_counter counter LEFT JOIN MERGED ON merged.id = counter.member_id
     WHERE member_id IN {FAMILIES} GROUP BY 2, 3, 4, 5)"""  # noqa: S608 -- our own text
COUNTERS = Sweep(
    _counted(
        OF_MEMBERS,
        "member_id",
        "coalesce(merged_into_id, entry.member_id)",
        "'member'",
        "LEFT JOIN MERGED ON merged.id = entry.member_id",
    ),
    {"counter_is_what_the_limited_rule_gave": ("coalesce(points, 0)", "coalesce(given, 0)")},
)
OF_UNITS = "(SELECT * FROM rules_unitcounter WHERE device = '')"
STORE_OR_PROGRAMME = "CASE limited.per WHEN 'store' THEN entry.org_unit_id ELSE program.unit_id END"
UNIT_COUNTERS = Sweep(
    _counted(OF_UNITS, "unit_id", STORE_OR_PROGRAMME, "'store', 'programme'"),
    {"unitcounter_is_what_the_limited_rule_gave": ("coalesce(points, 0)", "coalesce(given, 0)")},
)
OF_DEVICES = "(SELECT * FROM rules_unitcounter WHERE device <> '')"
ITS_EVENT = """JOIN points_posting posting ON posting.id = entry.posting_id
        JOIN activity_event event ON event.id = posting.event_id AND event.device <> ''"""
DEVICE_COUNTERS = Sweep(
    _counted(OF_DEVICES, "device", "event.device", "'device'", ITS_EVENT),
    {"unitcounter_of_a_device_is_what_the_limited_rule_gave": ("coalesce(points, 0)", "coalesce(given, 0)")},
)
# The ledger names rules by number, without a foreign key: each must be there, and a version be one of its rule.
RULES_OF_ENTRIES = Sweep(
    """(SELECT entry.row_id, entry.rule_id, version.rule_id AS found_rule
        FROM (
            SELECT rule_id, rule_version_id, min(id) AS row_id FROM points_entry
            WHERE rule_id IS NOT NULL OR rule_version_id IS NOT NULL GROUP BY rule_id, rule_version_id
        ) entry LEFT JOIN rules_ruleversion version ON version.id = entry.rule_version_id) AS entry""",
    {"entry_rule_is_its_versions": ("coalesce(rule_id, 0)", "coalesce(found_rule, 0)")},
)
RULES_OF_LOTS = Sweep(
    """(SELECT lot.row_id, lot.rule_id, version.rule_id AS found_rule
        FROM (
            SELECT rule_id, rule_version_id, min(id) AS row_id FROM points_lot
            WHERE rule_id IS NOT NULL OR rule_version_id IS NOT NULL GROUP BY rule_id, rule_version_id
        ) lot LEFT JOIN rules_ruleversion version ON version.id = lot.rule_version_id) AS lot""",
    {"lot_rule_is_its_versions": ("coalesce(rule_id, 0)", "coalesce(found_rule, 0)")},
)
SWEEPS = (FACTS, COUNTERS, UNIT_COUNTERS, DEVICE_COUNTERS, RULES_OF_ENTRIES, RULES_OF_LOTS)
