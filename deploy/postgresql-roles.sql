-- Three roles for one PostgreSQL database of portfolio-sync. Run it in that database, as often as you like:
--
--     createdb portfolio
--     psql -X -v ON_ERROR_STOP=1 -d portfolio -f deploy/postgresql-roles.sql
--
--   portfolio_owner    owns tables and views: portfolio-sync init, db upgrade
--   portfolio_service  reads and writes rows: sync, serve, import, report; cannot create, alter or drop
--   portfolio_analyst  reads the views; no table, no write
--
-- It sets no passwords: give each role its own with \password, or let your server's pg_hba.conf say who may log in.
-- As a superuser it also arranges that views made by later upgrades are readable by analysts; run by anybody else, run it
-- again after each "portfolio-sync db upgrade".

BEGIN;

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['portfolio_owner', 'portfolio_service', 'portfolio_analyst'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', role);
        END IF;
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO portfolio_owner, portfolio_service, portfolio_analyst', current_database());
    -- rows travel through temporary tables
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO portfolio_owner, portfolio_service', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO portfolio_owner;
GRANT USAGE ON SCHEMA public TO portfolio_service, portfolio_analyst;

-- what is there
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO portfolio_service;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO portfolio_service;

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
          AND relowner = 'portfolio_owner'::regrole
    LOOP
        IF found.relkind = 'v' THEN
            EXECUTE format('GRANT SELECT ON public.%I TO portfolio_analyst', found.relname);
        ELSE
            EXECUTE format('REVOKE ALL ON public.%I FROM portfolio_analyst', found.relname);
        END IF;
    END LOOP;
END
$$;

-- what upgrades will add
DO $$
BEGIN
    IF pg_has_role(current_user, 'portfolio_owner', 'MEMBER') THEN
        ALTER DEFAULT PRIVILEGES FOR ROLE portfolio_owner IN SCHEMA public
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portfolio_service;
        ALTER DEFAULT PRIVILEGES FOR ROLE portfolio_owner IN SCHEMA public
            GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO portfolio_service;
    ELSE
        RAISE NOTICE 'run this again as portfolio_owner or a superuser, or after each upgrade: no default privileges were set';
    END IF;
END
$$;

-- PostgreSQL has no default privileges for views alone: an event trigger gives analysts each view as it is made.
CREATE OR REPLACE FUNCTION public.portfolio_views_for_analysts() RETURNS event_trigger LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT command.object_identity FROM pg_event_trigger_ddl_commands() AS command
        JOIN pg_class AS view ON view.oid = command.objid
        WHERE command.classid = 'pg_class'::regclass AND view.relkind = 'v'
          AND view.relnamespace = 'public'::regnamespace AND view.relowner = 'portfolio_owner'::regrole
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO portfolio_analyst', made.object_identity);
    END LOOP;
END
$$;

DO $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        DROP EVENT TRIGGER IF EXISTS portfolio_views_for_analysts;
        CREATE EVENT TRIGGER portfolio_views_for_analysts ON ddl_command_end WHEN TAG IN ('CREATE VIEW')
            EXECUTE FUNCTION public.portfolio_views_for_analysts();
    ELSE
        RAISE NOTICE 'not a superuser: run this again after each upgrade, so that analysts can read new views';
    END IF;
END
$$;

-- a second lock on the same door
ALTER ROLE portfolio_analyst SET default_transaction_read_only = on;

COMMIT;
