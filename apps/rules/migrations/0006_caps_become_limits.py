"""A cap a day for one member is one kind of limit now."""

from django.db import migrations

CONVERT = """
    UPDATE {table} SET definition = (definition - 'cap_per_member_day') || jsonb_build_object('limits',
        CASE WHEN definition->>'cap_per_member_day' IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_object(
            'per', 'member', 'period', 'day', 'of', 'points', 'most', definition->'cap_per_member_day')) END)
    WHERE NOT definition ? 'limits'
"""


class Migration(migrations.Migration):
    dependencies = [("rules", "0005_limits")]
    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE rules_ruleversion DISABLE TRIGGER keep_published",
                CONVERT.format(table="rules_ruleversion"),
                CONVERT.format(table="rules_historicalruleversion"),
                "ALTER TABLE rules_ruleversion ENABLE TRIGGER keep_published",
            ],
            migrations.RunSQL.noop,
        )
    ]
