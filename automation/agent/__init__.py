"""What runs beside the phones: it needs Redis and adb, and neither Django nor a database."""
