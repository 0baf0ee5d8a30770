//! Which paths are of which class, as globs over canonical paths, which are in lower case.
//!
//! A class is what a file means to people and tools, not what is in it. A glob that also meets innocent files makes a report longer; a missing one lets
//! something by: so names are taken broadly where tools read them. What is read at the root alone is anchored there. `~1` and `~2` are at the end of the
//! names that NTFS gives to long ones and those that begin with a dot, in the order in which they come.

use super::Class;

/// The globs of each class, with white space between them.
pub(super) const TABLE: &[(Class, &str)] = &[
    // Pipelines of forges and services; bots that open or merge changes; services that gate them by coverage or quality.
    (
        Class::Ci,
        ".github/workflows/** .github/actions/** .github/dependabot.y{,a}ml .github/mergify.yml \
         .github/renovate.json{,5} .github/stale.yml .github/release.yml .forgejo/** .gitea/** .gitlab/** \
         .circleci/** .buildkite/** .woodpecker/** .azuredevops/** .azure-pipelines/** .semaphore/** .teamcity/** \
         .tekton/** .builds/** .prow/** .zuul.d/** .drone/** .harness/** .appveyor/** .jenkins/** \
         **/.gitlab-ci.y{,a}ml **/*.gitlab-ci.y{,a}ml **/jenkinsfile **/jenkinsfile.* **/azure-pipelines*.y{,a}ml \
         .travis.yml .drone.{yml,star,jsonnet} .woodpecker.y{,a}ml {,.}appveyor.yml .cirrus.{yml,star} .build.yml \
         .prow.yaml {,.}zuul.yaml wercker.yml codefresh.yml **/cloudbuild*.y{,a}ml **/buildspec*.y{,a}ml \
         bitbucket-pipelines.yml bitrise.yml codemagic.yaml screwdriver.yaml .mergify.yml .kodiak.toml \
         {,.}renovate.json{,5} .renovaterc{,.json,.json5} .dependabot/** sonar-project.properties .codeclimate.yml \
         {,.}codecov.y{,a}ml .coveralls.yml .sonarcloud.properties .mergify/** **/*.jenkinsfile **/action.y{,a}ml \
         {github,gitlab,gitea,forgej,circle,buildk,woodpe,tekton}~{1,2}/**",
    ),
    // Reviewers and rules of branches.
    (
        Class::Ownership,
        "**/codeowners **/owners **/owners_aliases **/maintainers .github/settings.yml .github/branch-protection.* \
         .github/rulesets/** .asf.yaml .gitlab/merge_request_templates/** .github/safe-settings/** .pullapprove.yml \
         .policy.yml .bulldozer.yml",
    ),
    // Git hooks and their managers; tasks, terminals and start-up files of editors, shells, debuggers and containers to work in.
    (
        Class::Hooks,
        "**/.husky/** **/.githooks/** **/.git-hooks/** **/git-hooks/** **/githooks/** **/.lefthook/** \
         **/{,.}lefthook{,-local}.{yml,yaml,toml,json} **/.huskyrc* **/.pre-commit-config.yaml \
         **/.pre-commit-hooks.yaml **/.lintstagedrc* **/lint-staged.config.* **/.overcommit.yml \
         **/captainhook.json **/.envrc **/.autoenv **/.vscode/** **/.idea/** **/.fleet/** **/.zed/** **/.exrc \
         **/.nvimrc **/.nvim.lua **/.vimrc **/.dir-locals.el **/.gdbinit **/.lldbinit **/*.code-workspace \
         **/.simple-git-hooks.* **/simple-git-hooks.* .github/hooks/** **/.hooks/** **/.rusty-hook.toml hk.pkl \
         prek.toml **/.devcontainer/** **/devcontainer.json .gitpod.yml .replit **/.helix/** **/.vs/** \
         **/*.sublime-project **/.dir-locals-2.el **/.rprofile **/{husky,githoo,git-ho,hooks,vscode,devcon,helix}~{1,2}/**",
    ),
    // Instructions, rules, skills and tool servers of coding agents.
    (
        Class::AgentInstructions,
        "**/agents.md **/agents.override.md **/agent.md **/claude.md **/claude.local.md **/gemini.md **/qwen.md \
         **/crush.md **/warp.md **/skill.md **/.agents/** **/.agent/** **/.claude/** **/.codex/** **/.gemini/** \
         **/.qwen/** **/.cursor/** **/.cursorrules **/.cursorignore **/.windsurf/** **/.windsurfrules \
         **/.clinerules **/.clinerules/** **/.roo/** **/.roorules* **/.roomodes **/.kilocode/** **/.aider* \
         **/.continue/** **/.continuerules **/.goosehints **/.goose/** **/.junie/** **/.kiro/** **/.amazonq/** \
         **/.augment/** **/.augment-guidelines **/.aiassistant/** **/.openhands/** **/.opencode/** \
         **/opencode.json{,c} **/.trae/** **/.devin/** **/.factory/** **/.mcp.json **/mcp.json **/.rules \
         **/copilot-instructions.md .github/instructions/** .github/prompts/** .github/agents/** \
         .github/chatmodes/** .github/skills/** **/*.instructions.md **/*.chatmode.md \
         .github/copilot/** **/.crush/** **/{,.}crush.json **/.clinerules-* **/.claude-plugin/** \
         **/{claude,cursor,codex,gemini,agents,agent,windsu,roo,kiro,contin,junie,openco}~{1,2}/**",
    ),
    // Attributes, filters, ignored files, identities.
    (
        Class::GitSettings,
        "**/.gitattributes **/.gitignore **/.gitmodules **/.gitconfig **/.mailmap **/.lfsconfig \
         **/.git-blame-ignore-revs **/.gitmessage **/.gitreview **/.gitallowed **/.ignore",
    ),
    // Where submodules come from.
    (Class::Submodule, "**/.gitmodules"),
    // Versions and digests of dependencies.
    (
        Class::Lockfile,
        "**/package-lock.json **/npm-shrinkwrap.json **/yarn.lock **/pnpm-lock.yaml **/bun.lock **/bun.lockb \
         **/deno.lock **/cargo.lock **/go.sum **/go.work.sum **/poetry.lock **/pipfile.lock **/uv.lock **/pdm.lock \
         **/pylock*.toml **/pixi.lock **/conda-lock.yml **/gemfile.lock **/gems.locked **/composer.lock \
         **/mix.lock **/rebar.lock **/pubspec.lock **/podfile.lock **/cartfile.resolved **/package.resolved \
         **/flake.lock **/npins/** **/packages.lock.json **/paket.lock **/gradle.lockfile \
         **/buildscript-gradle.lockfile **/verification-metadata.xml **/conan.lock **/chart.lock \
         **/.terraform.lock.hcl **/module.bazel.lock **/stack.yaml.lock **/cabal.project.freeze **/shard.lock \
         **/elm-stuff/** **/aqua-checksums.json **/buf.lock **/vendor/modules.txt **/mise.lock **/devbox.lock",
    ),
    // Dependencies, and the registries they come from.
    (
        Class::Manifest,
        "**/package.json **/package.json5 **/package.yaml **/pnpm-workspace.yaml **/.npmrc **/.pnpmfile.cjs \
         **/.yarnrc **/.yarnrc.yml **/.yarn/** **/bower.json **/bunfig.toml **/deno.json{,c} **/jsr.json \
         **/import_map.json **/cargo.toml **/.cargo/** **/go.mod **/go.work **/pyproject.toml **/setup.py \
         **/setup.cfg **/*requirements*.txt **/*requirements*.in **/requirements/*.txt **/constraints*.txt \
         **/pipfile **/pip.conf **/pixi.toml **/environment.y{,a}ml **/gemfile **/gems.rb **/*.gemspec \
         **/composer.json **/mix.exs **/rebar.config **/pubspec.yaml **/podfile **/*.podspec **/package.swift \
         **/cartfile **/pom.xml **/ivy.xml **/*.versions.toml **/deps.edn **/project.clj **/*.csproj **/*.fsproj \
         **/*.vbproj **/*.vcxproj **/packages.config **/directory.packages.props **/nuget.config \
         **/paket.dependencies **/conanfile.{txt,py} **/vcpkg.json **/vcpkg-configuration.json **/chart.yaml \
         **/*.cabal **/cabal.project **/stack.yaml **/flake.nix **/shard.yml **/elm.json **/dub.{json,sdl} \
         **/build.zig.zon **/*.rockspec **/*.nimble **/buf.yaml **/renv.lock **/project.toml **/cpanfile \
         **/buildinfo.toml **/aqua.yaml",
    ),
    // Schemas, migrations and their tools.
    (
        Class::Migration,
        "**/migrations/** **/migration/** **/migrate/** **/alembic/** **/alembic.ini **/flyway/** \
         **/flyway.{conf,toml} **/liquibase/** **/liquibase.properties **/changelog/*.{xml,yaml,yml} **/*.sql \
         **/*.prisma **/db/schema.rb **/db/seeds.rb **/*.ddl **/*.psql **/dbmate/** **/atlas.hcl **/diesel.toml",
    ),
    // Tests by folder and by name; data and snapshots; settings of runners and of coverage.
    (
        Class::Test,
        "**/test/** **/tests/** **/__tests__/** **/__mocks__/** **/__snapshots__/** **/spec/** **/specs/** \
         **/testdata/** **/test-data/** **/test_data/** **/testing/** **/fixtures/** **/__fixtures__/** **/e2e/** \
         **/integration-tests/** **/cypress/** **/androidtest/** **/*tests/** **/*_test.* **/*-test.* **/*.test.* \
         **/*.tests.* **/*.spec.* **/*_spec.* **/*-spec.* **/*.cy.* **/*.e2e.* **/*.e2e-spec.* **/test_*.* \
         **/*test.{java,kt,kts,groovy,scala,cs,fs,vb,php,swift,m,cpp,cc} \
         **/*tests.{java,kt,groovy,scala,cs,fs,vb,php,swift,m,cpp,cc} **/*spec.{scala,groovy,hs,kt} **/conftest.py \
         **/*.snap **/*.snap.new **/*.golden **/pytest.ini **/tox.ini **/noxfile.py **/.coveragerc \
         **/jest.config.* **/jest.setup.* **/vitest.config.* **/vitest.workspace.* **/vitest.setup.* \
         **/karma.conf.* **/playwright.config.* **/cypress.config.* **/cypress.json **/wdio.conf.* **/.mocharc* \
         **/.nycrc* **/.c8rc* **/ava.config.* **/phpunit.xml* **/behat.yml **/.rspec **/.simplecov **/testng.xml \
         **/*.runsettings **/*.xctestplan **/.testcoverage.yml **/nextest.toml **/tarpaulin.toml **/*.feature \
         **/stryker.conf* **/*.bats",
    ),
    // Images, build tools, compilers, deployment, versions of tools, linters.
    (
        Class::Build,
        "**/dockerfile **/dockerfile.* **/*.dockerfile **/containerfile **/containerfile.* **/.dockerignore \
         **/.containerignore **/{docker-,}compose*.y{,a}ml **/docker-bake.{hcl,json} **/.devcontainer/** \
         **/devcontainer.json **/vagrantfile **/procfile **/*.nix **/makefile **/gnumakefile **/makefile.* **/*.mk \
         **/*.mak **/{,.}justfile **/*.just **/taskfile.y{,a}ml **/cmakelists.txt **/cmakepresets.json **/*.cmake \
         **/meson.build **/meson.options **/configure **/configure.ac **/configure.in **/*.am **/*.m4 \
         **/sconstruct **/sconscript **/xmake.lua **/premake5.lua **/build.gradle* **/settings.gradle* \
         **/init.gradle* **/gradle.properties **/gradlew **/gradlew.bat **/gradle/wrapper/** **/buildsrc/** \
         **/mvnw **/mvnw.cmd **/.mvn/** **/build.xml **/*.sbt **/build.sc **/build.rs **/build.zig **/rakefile \
         **/*.rake **/gulpfile.* **/gruntfile.* **/webpack.*.{js,ts,cjs,mjs} **/vite.config.* **/rollup.config.* \
         **/esbuild.config.* **/babel.config.* **/.babelrc* **/.swcrc **/postcss.config.* **/next.config.* \
         **/nuxt.config.* **/svelte.config.* **/astro.config.* **/tsup.config.* **/metro.config.* \
         **/tsconfig*.json **/turbo.json **/nx.json **/lerna.json **/rush.json **/workspace **/workspace.bazel \
         **/module.bazel **/build **/build.bazel **/*.bzl **/.bazelrc **/.bazelversion **/buck **/.buckconfig \
         **/pants.toml **/directory.build.* **/*.targets **/*.sln **/*.slnx **/global.json **/*.tf **/*.tfvars \
         **/*.hcl **/*.bicep **/pulumi*.y{,a}ml **/cdk.json **/serverless.y{,a}ml **/kustomization.y{,a}ml \
         **/skaffold.y{,a}ml **/tiltfile **/helmfile.y{,a}ml **/values*.y{,a}ml **/netlify.toml **/vercel.json \
         **/fly.toml **/render.yaml **/railway.{json,toml} **/wrangler.{toml,json,jsonc} **/firebase.json \
         **/.goreleaser.y{,a}ml **/rust-toolchain **/rust-toolchain.toml **/.tool-versions **/{,.}mise.toml \
         **/.nvmrc **/.node-version **/.python-version **/.ruby-version **/.java-version **/.go-version \
         **/.sdkmanrc **/.terraform-version **/devbox.json **/fastfile **/*.xcconfig **/*.pbxproj **/*.xcscheme \
         **/.eslintrc* **/eslint.config.* **/biome.json{,c} **/clippy.toml **/.golangci.y{,a}ml **/ruff.toml \
         **/mypy.ini",
    ),
];
