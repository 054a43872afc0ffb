UPDATE volunteers SET limits = json_remove(limits, '$.daily_asks');
