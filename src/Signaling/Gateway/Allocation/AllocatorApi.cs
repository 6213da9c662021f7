using System.ComponentModel;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Voice.Protocol;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway.Guilds;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Allocation;

/// <summary>The allocator over HTTP, for chat gateways that are not ours: they keep guilds and users, and have voice from us.</summary>
public static class AllocatorApi
{
    private const int MaxVoiceStates = 10_000;
    private const int MaxBodyBytes = 4 * 1024 * 1024;
    private const int MaxNameLength = 64;
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(15);

    /// <summary>Maps /allocator/v1, behind the policy "administrator".</summary>
    public static IEndpointRouteBuilder MapAllocatorApi(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/allocator/v1").RequireAuthorization(AccountPolicies.Administrator).WithTags("allocator")
            .WithMetadata(Refuses(StatusCodes.Status401Unauthorized), Refuses(StatusCodes.Status403Forbidden));
        api.MapPut("/assignments/{guild}", Put).WithName("PutAssignment")
            .WithMetadata(new RequestSizeLimitAttribute(MaxBodyBytes))
            .Produces<ApiError>(StatusCodes.Status503ServiceUnavailable)
            .WithSummary("Have a guild served")
            .WithDescription("""
                Puts the guild on a voice node and pushes its voice states there. Idempotent: while the node lives the
                assignment stays, and the voice states are replaced. Call it at each change of a voice state, for fresh
                tokens (they last five minutes), after an event that names the guild, and when the event stream broke.
                """);
        api.MapDelete("/assignments/{guild}", Delete).WithName("DeleteAssignment").WithSummary("Let a guild go: its calls end");
        api.MapGet("/nodes", Nodes).WithName("GetNodes").WithSummary("The voice nodes and their load");
        api.MapPost("/nodes/{node}/drain", (string node, IGrainFactory grains) => Drain(node, true, grains)).WithName("DrainNode")
            .WithSummary("Take a node out of service: its guilds move to others without a gap. It stays so until it is put back");
        api.MapPost("/nodes/{node}/undrain", (string node, IGrainFactory grains) => Drain(node, false, grains)).WithName("UndrainNode")
            .WithSummary("Put a node back into service");
        api.MapGet("/events", Events).WithName("GetEvents")
            .WithSummary("Assignment events, as Server-Sent Events, from now on")
            .WithDescription("""
                Event types: assigned, moved, released, with an assignment as data; our own guilds' are among them. And ping, with
                null as data, at the start and every 15 s without another. A reader that falls far behind is disconnected.
                """);
        return routes;
    }

    private static async Task<Results<Ok<AssignmentAnswer>, BadRequest<ApiError>, Conflict<ApiError>, JsonHttpResult<ApiError>>> Put(
        string guild, AssignmentCall call, IGrainFactory grains, HttpResponse response)
    {
        if (!Snowflake.TryParse(guild, out var id)) return TypedResults.BadRequest(new ApiError("the guild is not a snowflake"));
        if (call.Region is { Length: 0 or > MaxNameLength }) return TypedResults.BadRequest(new ApiError($"region: 1 to {MaxNameLength} characters"));
        if (Refusal(call.VoiceStates) is { } refusal) return TypedResults.BadRequest(new ApiError(refusal));

        var held = await grains.GetGrain<IExternalGuild>(unchecked((long)id.Value))
            .Hold(call.Region, call.VoiceStates?.Select(ToMember).ToArray());
        if (held.Ours) return TypedResults.Conflict(new ApiError("the guild is one of this gateway's own"));
        if (held.Assignment is { } at)
            return TypedResults.Ok(new AssignmentAnswer(id, at.NodeId, at.Endpoint, at.Region, at.Epoch, held.Tokens));

        response.Headers.RetryAfter = "1";
        return TypedResults.Json(new ApiError("no voice node is available; the guild waits for one"), statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<Results<NoContent, NotFound<ApiError>, BadRequest<ApiError>>> Delete(string guild, IGrainFactory grains)
    {
        if (!Snowflake.TryParse(guild, out var id)) return TypedResults.BadRequest(new ApiError("the guild is not a snowflake"));
        return await grains.GetGrain<IExternalGuild>(unchecked((long)id.Value)).LetGo()
            ? TypedResults.NoContent()
            : TypedResults.NotFound(new ApiError("nothing is held for this guild"));
    }

    private static async Task<Ok<NodeStatus[]>> Nodes(IGrainFactory grains) =>
        TypedResults.Ok(await grains.GetGrain<IAllocatorGrain>(0).Nodes());

    private static async Task<Results<NoContent, NotFound<ApiError>>> Drain(string node, bool on, IGrainFactory grains) =>
        await grains.GetGrain<IAllocatorGrain>(0).Drain(node, on) ? TypedResults.NoContent() : TypedResults.NotFound(new ApiError("no such node is up"));

    private static ServerSentEventsResult<AssignmentRecord?> Events(
        IGrainFactory grains, TimeProvider time, IHostApplicationLifetime lifetime, CancellationToken cancel) =>
        TypedResults.ServerSentEvents(Watch(grains, time, lifetime, cancel));

    private static async IAsyncEnumerable<SseItem<AssignmentRecord?>> Watch(
        IGrainFactory grains, TimeProvider time, IHostApplicationLifetime lifetime, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel, lifetime.ApplicationStopping);
        await using var subscription = await AssignmentSubscription.Start(grains, time);
        yield return new SseItem<AssignmentRecord?>(null, "ping");
        while (await subscription.Next(PingEvery, ended.Token) is { } changes)
        {
            if (changes.Length == 0) yield return new SseItem<AssignmentRecord?>(null, "ping");
            foreach (var (change, at) in changes)
            {
                yield return new SseItem<AssignmentRecord?>(
                    new AssignmentRecord(at.Guild, at.Slot, at.NodeId, at.Endpoint, at.Region, at.Epoch), NameOf(change));
            }
        }
    }

    private static ProducesResponseTypeMetadata Refuses(int status) => new(status, typeof(void));

    private static string NameOf(AssignmentChange change) => change switch
    {
        AssignmentChange.Moved => "moved",
        AssignmentChange.Released => "released",
        _ => "assigned",
    };

    /// <summary>What is wrong with the voice states; null: nothing.</summary>
    private static string? Refusal(AssignmentVoiceState[]? states)
    {
        if (states is null) return null;
        if (states.Length > MaxVoiceStates) return $"voice_states: at most {MaxVoiceStates}";
        if (states.Any(state => state is not { UserId.Value: > 0, ChannelId.Value: > 0 })) return "voice_states: user_id and channel_id are needed";
        if (states.Any(state => state.SessionId is not { Length: > 0 and <= MaxNameLength })) return $"session_id: 1 to {MaxNameLength} characters";
        if (states.DistinctBy(state => state.UserId).Count() < states.Length) return "voice_states: a user has one at most";
        if (states.DistinctBy(state => state.SessionId).Count() < states.Length) return "voice_states: a session_id belongs to one user";
        return null;
    }

    private static VoiceMember ToMember(AssignmentVoiceState state) => new(
        state.UserId.Value, state.ChannelId.Value, state.SessionId, state.SelfMute, state.SelfDeaf, state.Mute, state.Deaf, state.Suppress,
        state.PrioritySpeaker);
}

/// <param name="Region">Where the guild would like to be served; another region serves it when that one has no node.</param>
/// <param name="VoiceStates">Everybody in voice in the guild; absent: as it was.</param>
public sealed record AssignmentCall(string? Region, AssignmentVoiceState[]? VoiceStates);

/// <param name="SessionId">The voice session id that the client presents to the voice node; new at each join and move.</param>
public sealed record AssignmentVoiceState(Snowflake UserId, Snowflake ChannelId, string SessionId)
{
    public bool SelfMute { get; init; }

    public bool SelfDeaf { get; init; }

    public bool Mute { get; init; }

    public bool Deaf { get; init; }

    [Description("May listen only.")]
    public bool Suppress { get; init; }

    [Description("May be heard whoever else talks, where a channel's loudest are chosen.")]
    public bool PrioritySpeaker { get; init; }
}

/// <param name="Endpoint">host:port of the voice WebSocket, for VOICE_SERVER_UPDATE.</param>
/// <param name="Epoch">Higher at each assignment of the guild; tokens are good for one.</param>
/// <param name="Tokens">By session id: the voice WebSocket's Identify wants them.</param>
public sealed record AssignmentAnswer(Snowflake GuildId, string NodeId, string Endpoint, string Region, long Epoch, Dictionary<string, string> Tokens);

/// <summary>An assignment, as events carry it.</summary>
/// <param name="Slot">"" but for channels that want another region than their guild.</param>
public sealed record AssignmentRecord(Snowflake GuildId, string Slot, string NodeId, string Endpoint, string Region, long Epoch);

public sealed record ApiError(string Message);
