#pragma once

#include "features/identity/identity_lab_test.h"
#include "features/identity/provider_error.h"

#include <optional>
#include <string>
#include <utility>

namespace postern::identity::test {

inline constexpr const char* k_issuer = "https://login.example";

/// A workspace with an owner who is signed in, and a provider that can be asked.
class ProviderLab : public IdentityLab {
protected:
    ProviderLab() : workspace(owner().workspace) {
        provider_side.documents["https://login.example/.well-known/openid-configuration"] =
            document();
        provider_side.documents["https://login.example/keys"] = R"({"keys":[{"kty":"EC",
            "crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
    }

    static std::string document(const std::string& token = "https://login.example/token") {
        return R"({"issuer":"https://login.example",
            "authorization_endpoint":"https://login.example/auth","token_endpoint":")" +
               token + R"(","jwks_uri":"https://login.example/keys",
            "response_types_supported":["code"],"id_token_signing_alg_values_supported":["ES256"],
            "authorization_response_iss_parameter_supported":true})";
    }

    Actor actor() {
        if (session.empty()) session = text_of(sign_in().value().text);
        return run(identity->authenticate_session(session, std::nullopt)).value();
    }
    Providers::Manage manage() { return Providers::Manage::check(actor()).value(); }

    Providers::Wish wish() {
        Providers::Wish out;
        out.name = "Company";
        out.issuer = k_issuer;
        out.client_id = "postern";
        out.secret.clear = secret_of("a client's secret");
        out.domains = {"brand.example"};
        out.default_role = Role::manager;
        return out;
    }
    Result<Provider> add(Providers::Wish wanted) {
        return run(providers->add(manage(), std::move(wanted)));
    }
    Provider added() { return add(wish()).value(); }
    Result<Provider> change(ProviderId id, Providers::Change wanted) {
        return run(providers->change(manage(), id, std::move(wanted)));
    }

    /// Olga's session, as if it had come of this provider.
    void give_session_to(ProviderId id, UnixMs provider_at_ms) {
        const auto proof = actor().proof;
        const auto body = [proof, id, provider_at_ms](store::Transaction& tx) -> Result<> {
            POSTERN_TRY(auto row, rows::find_session(tx, proof));
            row->provider = id;
            row->provider_at_ms = provider_at_ms;
            row->password_at_ms = 0;
            if (auto done = rows::delete_session(tx, proof); !done) return done;
            return rows::insert_session(tx, *row);
        };
        ASSERT_TRUE(run(database->write(body)));
    }

    WorkspaceId workspace;
    std::string session;
};

}  // namespace postern::identity::test
