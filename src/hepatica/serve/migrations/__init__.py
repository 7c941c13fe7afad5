"""Migrations: the steps by which the tables of the workbench came to be as they are, run by Alembic."""
