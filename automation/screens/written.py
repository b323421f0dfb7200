"""A dump of each screen as the sources of the catalogue describe it, written by hand: to check screen files against."""

from __future__ import annotations

from html import escape
from typing import Any

IG, TT = "com.instagram.android", "com.zhiliaoapp.musically"


def node(cls: str = "TextView", *children: str, package: str = IG, **attributes: Any) -> str:
    """One node; `id`, `desc`, `text` and flags as keywords."""
    names = {"id": "resource-id", "desc": "content-desc"}
    given = {"bounds": "[0,0][100,100]", "enabled": "true", **attributes}
    if "id" in given and ":" not in given["id"]:
        given["id"] = f"{package}:id/{given['id']}"
    shown = " ".join(
        f'{names.get(key, key)}="{escape(str(value).lower() if isinstance(value, bool) else str(value))}"'
        for key, value in given.items()
    )
    return f'<node class="android.widget.{cls}" package="{package}" {shown}>{"".join(children)}</node>'


def dump(*nodes: str) -> str:
    """A whole dump."""
    return f"<?xml version='1.0' encoding='UTF-8'?><hierarchy rotation=\"0\">{''.join(nodes)}</hierarchy>"


TAB_BAR = node("LinearLayout", node("FrameLayout", id="feed_tab", desc="Home"), id="tab_bar")
GMS, VENDING = "com.google.android.gms", "com.android.vending"


def says(*texts: str, package: str = TT) -> list[str]:
    """A text view for each."""
    return [node(text=text, package=package) for text in texts]


def button(text: str, **more: Any) -> str:
    return node("Button", text=text, clickable=True, **more)


def tt(cls: str, **more: Any) -> str:
    return node(cls, package=TT, **more)


def ig(*texts: str) -> str:
    """A dump of Instagram with these texts; what ends in `!` is a button, `?:` begins an input field."""
    return dump(*[_shown(text, "com.instagram.android") for text in texts])


def tiktok(*texts: str, more: str = "") -> str:
    return dump(*[_shown(text, TT) for text in texts], more)


def _shown(text: str, package: str) -> str:
    if text.startswith("?:"):
        return node("EditText", package=package, text=text[2:])
    if text.startswith("*:"):
        return node("EditText", package=package, text=text[2:], password=True)
    if text.endswith("!"):
        return node("Button", package=package, text=text[:-1], clickable=True)
    return node(package=package, text=text)


def bottom(selected: str) -> str:
    """TikTok's five tabs."""
    tabs = ("Home", "Friends", "Inbox", "Profile")
    return "".join(
        tt("FrameLayout", desc=tab, selected=tab == selected, clickable=True) for tab in tabs
    ) + tt("Button", desc="Create")


def row(handle: str, **more: Any) -> str:
    return node("ViewGroup", node("View", text=handle), desc=handle, clickable=True, **more)


def profile(*more: str) -> str:
    """Instagram's profile page with these nodes."""
    return dump(
        node("LinearLayout", node("FrameLayout", id="profile_tab", selected=True), id="tab_bar"),
        node("LinearLayout", node(id="action_bar_title", text="alice"), id="action_bar_username_container"),
        *more,
    )


def system(*nodes: str) -> str:
    return dump(node("FrameLayout", node(text="Something of the app")), *nodes)


#: screen -> its dumps. Each is one way in which the catalogue says that the screen looks.
WRITTEN: dict[str, list[str]] = {
    "ig.landing": [
        dump(node("Button", id="log_in_button", text="Log In"), node("Button", text="Create New Account")),
        ig("I already have an account!", "Create new account!"),
        ig("Join Instagram", "Get started!", "I already have a profile!"),
    ],
    "ig.landing_saved_one": [
        ig("alice", "Continue!", "Use another profile!", "Create new account!"),
        ig("Continue as alice!", "Log into another account!"),
    ],
    "ig.account_picker": [dump(row("alice"), row("bob,  New notifications"), node("Button", desc="Use another profile"))],
    "ig.login_form": [
        ig("?:Username, email or mobile number,", "?:Password", "Log in!", "Forgot password?!"),
        dump(node("EditText", id="login_username"), node("EditText", id="password"), node("Button", id="button_text")),
        dump(node("View", desc="Nome de usuário, email ou número de celular"), node("View", desc="Senha"),
             node("View", desc="Entrar")),
    ],
    "ig.login_password_only": [ig("alice", "*:Password", "Log in!", "Forgot password?!")],
    "ig.loading": [dump(node("Button", desc="Loading…"), node("ProgressBar"))],
    "ig.dialog_password_required": [ig("Password required", "Enter your password to continue.", "OK!")],
    "ig.wrong_password": [
        ig("Incorrect password", "The password was incorrect.", "Try again!"),
        ig("Sorry, your password was incorrect. Please double-check your password.", "OK!"),
        ig("alice", "*:Mot de passe", "La combinaison est incorrecte.", "Se connecter!"),
    ],
    "ig.no_such_account": [ig("Can't find account", "Try again!"), ig("We couldn't find an account with that name.", "OK!")],
    "ig.rate_limited": [
        dump(node(id="igds_alert_dialog_headline", text="Try Again Later"),
             node(id="igds_alert_dialog_subtext", text="We limit how often you can do certain things."),
             node("Button", id="igds_alert_dialog_primary_button", text="OK")),
        ig("Please wait a few minutes before you try again."),
    ],
    "ig.2fa_totp": [
        ig("Go to your authentication app", "?:Code", "Continue!"),
        ig("Enter the 6-digit code from your authentication app.", "?:Code", "Continue!"),
        ig("Generate a code from your authentication app and enter it to log in.", "?:Code", "Continue!"),
    ],
    "ig.2fa_approve_elsewhere": [
        ig("Check your notifications", "Waiting for approval", "Try another way!"),
        ig("Check your notifications on another device", "Try another way!"),
    ],
    "ig.2fa_choose_method": [
        dump(node(text="Choose a way to confirm it's you"), node("RadioButton", text="Authentication app"),
             node(text="Get a code from your authentication app."), node("Button", text="Continue")),
    ],
    "ig.challenge_choose_method": [ig("Choose a way to confirm it's you", "Text message", "Continue!")],
    "ig.challenge_email_code": [
        ig("Check your email", "Enter the code we sent to m*****e@mail.example.", "?:Enter code", "Get a new code!",
           "Try another way!"),
    ],
    "ig.challenge_sms": [
        ig("Check your SMS", "?:Enter code", "Continue!"),
        ig("We sent a code to your number. Enter the confirmation code.", "?:Confirmation code", "Next!"),
    ],
    "ig.challenge_suspicious": [
        ig("Suspicious Login Attempt", "This Was Me!"),
        ig("We Detected An Unusual Login Attempt", "Continue!"),
        ig("Nous avons détecté une tentative de connexion inhabituelle", "Continuer!"),
        ig("Intento de inicio de sesión sospechoso"),
    ],
    "ig.challenge_identity": [ig("Help us confirm it's you", "Continue!"), ig("Confirm your identity", "Next!")],
    "ig.captcha": [ig("Confirm you're human to use your account"), ig("We suspect automated behavior on your account")],
    "ig.challenge_locked": [ig("We locked your account to protect you", "Choose a way to recover", "Next!")],
    "ig.suspended": [
        ig("We suspended your account", "You have 180 days left to appeal.", "Appeal!"),
        ig("Your account has been disabled"),
        dump(node("ImageView", text="Force reset password icon")),
        ig("hemos suspendido tu cuenta permanentemente"),
    ],
    "ig.save_login_info": [
        dump(node("View", desc="Save your login info?"), node("Button", desc="Save"), node("Button", desc="Not now")),
        dump(node(id="igds_headline_headline", text="Enregistrer vos informations de connexion ?"),
             node("Button", id="primary_button"), node("Button", id="negative_button")),
    ],
    "ig.nux_notifications": [ig("Turn on notifications", "Next!", "Skip!")],
    "ig.nux_contacts": [ig("Find people to follow", "Allow access to contacts", "Skip!")],
    "ig.nux_new_device": [ig("Set up on new device", "Location services", "Continue!")],
    "ig.nux_photo": [ig("Add a profile photo", "Add!", "Skip!")],
    "ig.nux_welcome": [ig("Welcome to Instagram", "Next!")],
    "ig.nux_map": [ig("Introducing the Instagram map", "OK!")],
    "ig.ads_choice": [ig("Make a choice about your ads", "Use free of charge with ads!")],
    "ig.home": [
        dump(node("LinearLayout", node("FrameLayout", id="feed_tab", selected=True), id="tab_bar")),
        dump(TAB_BAR, node("RecyclerView", id="reels_tray_container"), node(text="carol")),
    ],
    "ig.own_profile": [
        profile(node("Button", id="button_container", desc="Edit profile"), node("View", id="profile_header_container")),
        profile(node("View", id="row_profile_header"),
                node(id="row_profile_header_textview_followers_count", text="1,234")),
        dump(node("FrameLayout", id="profile_tab", selected=True), node(id="action_bar_large_title_auto_size", text="alice"),
             node("Button", text="Modifier le profil")),
    ],
    "ig.other_profile": [dump(TAB_BAR, node("Button", id="profile_header_follow_button"), node(id="action_bar_button_back"))],
    "ig.account_switcher": [
        dump(node("ViewGroup", row("alice", selected=True), row("bob"), node("Button", desc="Add Instagram account"),
                  id="recycler_view_container_id"), node(text="alice's story, 0 of 27")),
        dump(node(id="row_user_textview", text="alice"), node(id="row_user_textview", text="bob")),
        dump(node("ListView", node(id="username_textview", text="alice"), id="android:id/list")),
    ],
    "ig.add_account_sheet": [ig("Add account", "Log into existing account!", "Create new account!")],
    "ig.settings": [
        dump(node("ImageView", id="action_bar_button_back", desc="Back"), node(text="Settings and activity")),
        ig("Paramètres et activité", "Se déconnecter"),
    ],
    "ig.logout_dialog": [ig("Settings and activity", "Log out of your account?", "Log out!", "Cancel!")],
    "ig.logged_out_elsewhere": [ig("You've been logged out", "Please log back in.", "OK!")],
    "ig.update_required": [ig("Update Instagram", "Get the latest version of the app.", "Update!")],
    "ig.update_offered": [ig("Update Instagram", "Update!", "Not Now!")],
    "ig.no_connection": [ig("No internet connection", "Try again!")],
    "tt.profile_logged_out": [tiktok("Sign up for an account", "Sign up!", more=bottom("Profile"))],
    "tt.signup_sheet": [tiktok("Sign up for TikTok", "Use phone or email!", "Already have an account? Log in")],
    "tt.login_sheet": [
        tiktok("Log in to TikTok", "Use phone / email / username!", "Continue with Google!", "Don't have an account? Sign up"),
    ],
    "tt.login_saved_accounts": [
        tiktok("alice", "Tap to log in", "Switch accounts!"), tiktok("Continue as alice!", "Switch accounts!"),
    ],
    "tt.login_phone_tab": [
        tiktok("Log in", "?:Phone number", "Continue!", more=tt("LinearLayout", desc="Phone", selected=True, clickable=True)
               + tt("LinearLayout", desc="Email / Username", clickable=True) + tt("CheckBox", checked=True)),
    ],
    "tt.login_email_tab": [
        tiktok("Log in", "?:Email or username", "Continue!", more=tt("LinearLayout", desc="Phone", clickable=True)
               + tt("LinearLayout", desc="Email / Username", selected=True, clickable=True)),
    ],
    "tt.login_password": [
        tiktok("Enter password", "*:", "Forgot password?", "Log in!"),
        tiktok("To continue, log in with your password.", "?:", "Continue!"),
    ],
    "tt.wrong_password": [tiktok("Enter password", "*:", "Incorrect account or password", "Log in!")],
    "tt.no_such_account": [tiktok("?:Email or username", "Email address isn't registered yet", "Continue!")],
    "tt.too_many_attempts": [tiktok("Maximum number of attempts reached. Try again later.")],
    "tt.captcha": [
        tiktok("Drag the puzzle piece into place"), tiktok("Verify to continue", "Select 2 objects that are the same shape"),
        dump(node("View", package=TT, id="secsdk-captcha-drag-wrapper")),
        dump(node("Image", package=TT, text="whirl_3f1c.png")),
    ],
    "tt.verify_code": [
        tiktok("Enter 6-digit code", "Your code was emailed to a***@mail.example", "?:", "Resend code!"),
        tiktok("Consulte tes e-mails", "?:", "Renvoyer un code!"),
    ],
    "tt.verify_sms": [tiktok("Enter 6-digit code", "An SMS with your code was sent to +31 6", "?:")],
    "tt.2step": [tiktok("Verify identity", "Choose a method to verify your identity", "Email!")],
    "tt.banned": [
        tiktok("This account was banned due to multiple Community Guidelines violations.", "OK!"),
        tiktok("Your account is currently locked. To unlock, go to Report a Problem."),
    ],
    "tt.logged_out_elsewhere": [
        tiktok("Your account was logged out. Try logging in again.", "OK!"),
        tiktok("Due to age restrictions, you've been logged out", "Got it!"),
    ],
    "tt.save_login_info": [
        tiktok("Save login info?", "You won't need to enter your login info the next time", "Not now!", "Save!"),
    ],
    "tt.agegate": [
        tiktok("When's your birthday?", "Next!"), tiktok("何日?", more=tt("SeekBar") + tt("SeekBar") + tt("SeekBar")),
    ],
    "tt.home": [tiktok("For You", "Following", more=bottom("Home")), tiktok("carol", more=bottom("Friends"))],
    "tt.own_profile": [
        tiktok("Alice!", "@alice!", more=tt("Button", desc="Profile menu") + bottom("Profile")),
        tiktok("@alice!", "TikTok Studio", more=bottom("Profile")),
        tiktok("@alice!", "Create a Story", more=bottom("Profile")),
    ],
    "tt.other_profile": [tiktok("@carol!", "Follow!", "Message!", more=bottom("Home"))],
    "tt.switch_account_sheet": [
        dump(node("FrameLayout", *says("Switch account"), node("LinearLayout", *says("alice"), package=TT, clickable=True,
             selected=True), *says("Add account"), package=TT, desc="Bottom sheet")),
    ],
    "tt.terms": [tiktok("Terms of Service", "Agree and continue!")],
    "tt.interests": [tiktok("Choose your interests", "Skip!")],
    "tt.swipe_up": [tiktok("Swipe up for more videos", "Start watching!")],
    "tt.contacts": [tiktok("Find contacts", "Don’t allow!"), tiktok("Sync your contacts", "Skip!")],
    "tt.friends": [tiktok("Follow your friends", more=tt("ImageView", desc="Close", clickable=True))],
    "tt.collections": [tiktok("Create shared collections", "Not now!")],
    "tt.link_email": [tiktok("Link email", "Not now!")],
    "tt.notifications": [tiktok("Turn on notifications", "Not now!")],
    "tt.transfer_notice": [tiktok("Notice about data transfer", "Got it!")],
    "tt.update_offered": [tiktok("TikTok update is here", "Update now!", "Not now!")],
    "tt.update_required": [tiktok("TikTok update is here", "Update now!")],
    "tt.no_connection": [tiktok("No internet connection", "Retry!")],
    "tt.loading": [dump(node("ProgressBar", package=TT), *says("carol"))],
    "os.permission": [
        system(node("Button", package=f"{package}.permissioncontroller",
                    id="com.android.permissioncontroller:id/permission_deny_and_dont_ask_again_button"))
        for package in ("com.google.android", "com.android")
    ],
    "os.crash": [system(node("Button", package="android", id="aerr_close"), node(package="android", id="alertTitle"))],
    "os.anr": [system(node("Button", package="android", id="aerr_close"), node("Button", package="android", id="aerr_wait"))],
    "os.lock": [
        dump(node("FrameLayout", package="com.android.systemui", id="keyguard_message_area_container")),
        dump(node(package="com.android.systemui", text="Swipe up to unlock")),
    ],
    "os.autofill_save": [system(node(package="android", id="autofill_save_title"), node("Button", package="android", id="autofill_save_no"))],
    "os.password_manager": [
        system(node("Button", package=GMS, id="save_credential"), node("Button", package=GMS, id="cancel")),
        system(*says("Save password for Instagram?", "No thanks", package="com.samsung.android.samsungpass")),
    ],
    "os.chooser": [system(node("LinearLayout", package="com.miui.securitycore", id="app1"),
                          node("LinearLayout", package="com.miui.securitycore", id="app2"))],
    "os.play_protect": [system(*says("Play Protect warning", "OPEN ANYWAY", package=VENDING))],
    "os.play_update": [dump(*says("Update available", "Update", "Instagram", package=VENDING))],
    "os.vendor_update": [system(*says("Software update", "Later", package="com.huawei.android.hwouc"))],
    "os.launcher": [dump(*[node(package="com.miui.home", text=text, clickable=True) for text in ("Phone", "Camera", "Mail")])],
}  # fmt: skip

FIXTURES = [
    (f"{screen} {position}", screen, xml)
    for screen, dumps in WRITTEN.items()
    for position, xml in enumerate(dumps)
]
