-- Run once by the PostgreSQL image, after the roles: each gets the password of its secret file, which no command line shows.
\set ON_ERROR_STOP on
\set owner_password `cat /run/secrets/database_owner_password`
\set service_password `cat /run/secrets/database_service_password`
\set analyst_password `cat /run/secrets/database_analyst_password`
ALTER ROLE portfolio_owner PASSWORD :'owner_password';
ALTER ROLE portfolio_service PASSWORD :'service_password';
ALTER ROLE portfolio_analyst PASSWORD :'analyst_password';
