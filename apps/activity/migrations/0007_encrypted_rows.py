from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0006_staged_rows"),
    ]

    operations = [
        migrations.RemoveField(model_name="importjob", name="events_total"),
        migrations.RemoveField(model_name="importjob", name="events_done"),
        migrations.RemoveField(model_name="importjob", name="refusal"),
        migrations.AddField(
            model_name="importjob",
            name="rows_done",
            field=models.IntegerField(default=0, verbose_name="rows done"),
        ),
        migrations.AddField(
            model_name="importjob",
            name="refusal",
            field=models.JSONField(blank=True, default=dict, verbose_name="refusal"),
        ),
        migrations.RemoveField(model_name="importrow", name="data"),
        migrations.AlterField(
            model_name="importrow",
            name="chunk",
            field=models.IntegerField(null=True, verbose_name="chunk"),
        ),
        migrations.AddField(
            model_name="importrow",
            name="owner",
            field=models.BinaryField(default=b"", max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="importrow",
            name="cipher",
            field=models.BinaryField(default=b""),
            preserve_default=False,
        ),
    ]
