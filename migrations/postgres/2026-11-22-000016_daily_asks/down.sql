UPDATE volunteers SET limits = limits - 'daily_asks';
