DROP INDEX datasets_change;
