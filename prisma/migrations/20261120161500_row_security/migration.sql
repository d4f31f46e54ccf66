-- What the gateway connects as a member of. Roles belong to the server: other databases of it may make
-- the same one in this very moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stratos_gateway') THEN
        CREATE ROLE "stratos_gateway" NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

GRANT USAGE ON SCHEMA "public" TO "stratos_gateway";
GRANT SELECT ON
    "stratos_node", "stratos_actor", "stratos_stub",
    "stratos_membership", "stratos_membership_boundary",
    "stratos_post", "stratos_post_boundary", "stratos_post_reference",
    "stratos_change"
TO "stratos_gateway";
-- It runs by the rights of its owner, and looks at the scope of the transaction by itself.
GRANT EXECUTE ON FUNCTION "stratos_search" TO "stratos_gateway";

-- Closed to all but their owner, except for what a policy below opens.
ALTER TABLE "stratos_actor_cursor" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_boundary" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_change" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_enrollment" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_follower" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_hold" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_membership" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_membership_boundary" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_pds_resync" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_post" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_post_boundary" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_post_reference" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_post_search" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_proof" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_quarantine" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_repo" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_resync" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_sync_cursor" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_tombstone" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "stratos_waiting_commit" ENABLE ROW LEVEL SECURITY;

-- A transaction says for whom it reads: stratos.viewer is a DID, stratos.scope the boundaries that are
-- open to it, separated by a space, of which none has one. Without them these conditions are null, and
-- there is no row.
ALTER TABLE "stratos_membership_boundary"
    ADD CONSTRAINT "stratos_membership_boundary_space_check" CHECK (strpos("boundary", ' ') = 0);

-- Boundaries are compared by IN (SELECT …), which is a table of hashes that is made once for each
-- statement. As = ANY (…) the condition would be one that an index can answer, and the planner would
-- read all of a boundary by it instead of a page in the order of the query.
CREATE POLICY "stratos_membership_own" ON "stratos_membership" FOR SELECT TO "stratos_gateway"
    USING ("did" = (SELECT current_setting('stratos.viewer', true)));

CREATE POLICY "stratos_membership_boundary_own" ON "stratos_membership_boundary" FOR SELECT TO "stratos_gateway"
    USING ("did" = (SELECT current_setting('stratos.viewer', true)));

CREATE POLICY "stratos_post_boundary_in_scope" ON "stratos_post_boundary" FOR SELECT TO "stratos_gateway"
    USING ("boundary" IN (SELECT unnest(string_to_array(current_setting('stratos.scope', true), ' '))));

CREATE POLICY "stratos_post_reference_in_scope" ON "stratos_post_reference" FOR SELECT TO "stratos_gateway"
    USING ("boundary" IN (SELECT unnest(string_to_array(current_setting('stratos.scope', true), ' '))));

-- What the author signed has to allow it, and the index of readers too, whose own policy holds here.
CREATE POLICY "stratos_post_in_scope" ON "stratos_post" FOR SELECT TO "stratos_gateway"
    USING (
        "did" = (SELECT current_setting('stratos.viewer', true))
        OR "boundaries" && (SELECT string_to_array(current_setting('stratos.scope', true), ' '))
            AND EXISTS (
                SELECT FROM "stratos_post_boundary" "reader"
                WHERE "reader"."uri" = "stratos_post"."uri" AND "reader"."node_did" = "stratos_post"."node_did"
            )
    );

-- Of memberships each hears their own.
CREATE POLICY "stratos_change_in_scope" ON "stratos_change" FOR SELECT TO "stratos_gateway"
    USING (
        "did" = (SELECT current_setting('stratos.viewer', true))
        OR "kind" <> 'membership'
            AND "boundaries" && (SELECT string_to_array(current_setting('stratos.scope', true), ' '))
    );
