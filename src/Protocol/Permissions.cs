namespace Voice.Protocol;

/// <summary>The permission bits that voice needs, with Discord's values. On the wire a decimal string.</summary>
[Flags]
public enum Permissions : ulong
{
    None = 0,
    Administrator = 1UL << 3,
    ManageChannels = 1UL << 4,
    ManageGuild = 1UL << 5,
    PrioritySpeaker = 1UL << 8,
    Stream = 1UL << 9,
    ViewChannel = 1UL << 10,
    Connect = 1UL << 20,
    Speak = 1UL << 21,
    MuteMembers = 1UL << 22,
    DeafenMembers = 1UL << 23,
    MoveMembers = 1UL << 24,
    UseVoiceActivity = 1UL << 25,
    ManageRoles = 1UL << 28,
    RequestToSpeak = 1UL << 32,

    /// <summary>What a new guild's everyone role may do.</summary>
    Everyone = ViewChannel | Connect | Speak | Stream | UseVoiceActivity | RequestToSpeak,
}
